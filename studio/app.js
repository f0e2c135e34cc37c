// SPDX-License-Identifier: MIT
// Which view is shown, the key, the theme.
import { account } from './account.js';
import { get, key, setKey } from './api.js';
import { batch } from './batch.js';
import { create } from './create.js';
import { $, fault, h } from './dom.js';
import { history } from './history.js';
import { job } from './job.js';

const views = { create, history, batch, account, job };
const titles = { create: 'Create', history: 'History', batch: 'Batch', account: 'Keys & usage',
    job: 'Generation' };
let leave; // ends what the view before has begun

function show() {
    const [name, argument] = (location.hash.slice(1) || 'create').split('/');
    const view = views[name] ? name : 'create';
    leave?.abort();
    leave = new AbortController();
    for (const link of $('tabs').children) {
        if (link.hash === `#${view}`)
            link.setAttribute('aria-current', 'page');
        else
            link.removeAttribute('aria-current');
    }
    document.title = `${titles[view]} · lipsync studio`;
    const page = h('div');
    $('main').replaceChildren(page);
    if (!key()) {
        welcome();
        return;
    }
    Promise.resolve(views[view](page, leave.signal, argument)).catch(error => {
        if (!leave.signal.aborted)
            page.append(fault(error));
    });
}

// The key opens everything; it stays in this browser.
function welcome(problem) {
    const input = h('input', { type: 'password', id: 'key', autocomplete: 'off', required: true,
        placeholder: 'sk-…' });
    const form = h('form.card.welcome', { onsubmit: async event => {
        event.preventDefault();
        setKey(input.value.trim());
        try {
            await get('v2/models');
            show();
        } catch (error) {
            setKey('');
            welcome(error.status === 401 ? new Error('The server does not know this key.') : error);
        }
    } }, h('h1', {}, 'Welcome'), h('p.lead', {}, 'The API key was printed when the server was ' +
        'started for the first time. It stays in this browser.'), problem && fault(problem),
    h('label', { for: 'key' }, 'API key'), input,
    h('p', {}), h('button.primary.big', {}, 'Open the studio'));
    $('main').replaceChildren(form);
    input.focus();
}

function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem('lipsync-theme', theme);
    window.dispatchEvent(new CustomEvent('theme'));
}

const dark = matchMedia('(prefers-color-scheme: dark)');
document.documentElement.dataset.theme = localStorage.getItem('lipsync-theme') ??
    (dark.matches ? 'dark' : 'light');
$('theme').addEventListener('click', () =>
    setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
window.addEventListener('hashchange', () => { show(); $('main').focus(); });
window.addEventListener('locked', () => {
    if (key()) {
        setKey('');
        welcome(new Error('The server no longer knows this key.'));
    }
});
show();
