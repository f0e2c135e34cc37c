// SPDX-License-Identifier: MIT
// Keys, the secret of webhooks, usage.
import { get, send, setKey } from './api.js';
import { h, moment, say, span, table } from './dom.js';

async function keys(place) {
    const list = await get('v2/keys');
    const name = h('input', { type: 'text', id: 'keyname', maxlength: 100,
        required: true, placeholder: 'what it is for' });
    const row = k => h('tr', {}, h('td', {}, k.name), h('td', {}, h('code', {}, `sk-…${k.hint}`)),
        h('td', {}, moment(k.createdAt)), h('td', {}, h('button.quiet.danger', { type: 'button',
            'aria-label': `Revoke ${k.name}`, disabled: list.length < 2,
            onclick: () => send('DELETE', `v2/keys/${k.id}`).then(() => keys(place),
                error => say(error.message)) }, 'Revoke')));
    place.replaceChildren(h('h2', {}, 'API keys'),
        table(['Name', 'Key', 'Made', 'What to do'], list.map(row)),
    h('form.row', { onsubmit: async event => {
        event.preventDefault();
        const made = await send('POST', 'v2/keys', { name: name.value }).catch(error =>
            say(error.message));
        if (!made)
            return;
        await keys(place);
        place.append(h('p', { role: 'status' }, 'Shown this once: ', h('code', {}, made.key)));
    } }, h('label.grow', {}, 'New key', name), h('button.primary', {}, 'Make it')));
}

function secret() {
    const text = h('code', {}, 'whsec_…');
    const show = async method => { text.textContent = (await send(method,
        'v2/organizations/webhook/secret')).secret; };
    const button = (method, name) => h('button', { type: 'button',
        onclick: () => show(method).catch(error => say(error.message)) }, name);
    return h('section.card', {}, h('h2', {}, 'Webhooks'), h('p.note', {}, 'Messages are signed ' +
        'with this secret, in the header Sync-Signature.'), h('p', {}, text),
    h('div.row', {}, button('GET', 'Show'), button('POST', 'Make a new one')));
}

async function usage() {
    const days = await get('v2/usage?days=30');
    const total = days.reduce((sum, d) => sum + d.seconds, 0), today = Date.now();
    const byDay = new Map(days.map(d => [d.day.slice(0, 10), d]));
    const bars = Array.from({ length: 30 }, (_, i) => {
        const day = new Date(today - (29 - i) * 864e5).toISOString().slice(0, 10);
        const d = byDay.get(day), bar = h('i', { title: `${day}: ${d?.generations ?? 0}` });
        bar.style.height = `${100 * (d?.generations ?? 0) /
            Math.max(1, ...days.map(x => x.generations))}%`;
        return bar;
    });
    const made = days.reduce((sum, d) => sum + d.generations, 0);
    return h('section.card', {}, h('h2', {}, 'The last 30 days'), h('p', {}, h('strong', {},
        String(made)), ` generations, ${total ? span(total) : '0 s'} of film`),
    h('div.bars', { role: 'img', 'aria-label': `${made} generations in 30 days` }, bars));
}

export async function account(page) {
    const place = h('section.card');
    page.append(h('h1', {}, 'Keys & usage'), h('p.lead', {}, 'What belongs to this organization.'),
        h('div.columns', {}, place, h('div', {}, await usage(), secret(),
            h('section.card', {}, h('h2', {}, 'This browser'), h('p.note', {},
                'It keeps the key with which the studio was opened.'), h('button', { type: 'button',
                onclick: () => { setKey(''); location.reload(); } }, 'Forget the key')))));
    await keys(place);
}
