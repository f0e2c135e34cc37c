// SPDX-License-Identifier: MIT
// What was made before.
import { get, local, send } from './api.js';
import { clock, h, moment, say, table } from './dom.js';

const PAGE = 20;

function row(g) {
    const over = !['PENDING', 'PROCESSING'].includes(g.status);
    const remove = h('button.quiet.danger', { type: 'button',
        'aria-label': `${over ? 'Remove' : 'Cancel'} ${g.outputFileName ?? g.id}`,
        onclick: async () => {
            try {
                await (over ? send('DELETE', `v2/generations/${g.id}`)
                    : send('POST', `v2/generations/${g.id}/cancel`));
                if (over)
                    line.remove();
                say(over ? 'Removed' : 'It ends');
            } catch (error) {
                say(error.message);
            }
        } }, over ? 'Remove' : 'Cancel');
    const line = h('tr', {},
        h('td', {}, h('a', { href: `#job/${g.id}` }, g.outputFileName ?? g.id.slice(0, 8))),
        h('td', {}, h('span.chip', { class: `chip ${g.status}` }, g.status)),
        h('td', {}, g.model), h('td', {}, g.outputDuration ? clock(g.outputDuration) : '–'),
        h('td', {}, moment(g.createdAt)), h('td', {}, h('div.row', {}, g.outputUrl &&
            h('a', { href: local(g.outputUrl), download: `${g.outputFileName ?? g.id}.mp4` },
                'Download'), remove)));
    return line;
}

export async function history(page) {
    const list = table(['Name', 'Status', 'Model', 'Length', 'Made', 'What to do'], []);
    const body = list.querySelector('tbody'), more = h('button', { type: 'button',
        onclick: () => load() }, 'More');
    let cursor;
    page.append(h('h1', {}, 'History'), h('p.lead', {}, 'What this organization made, the newest ' +
        'first.'));
    async function load() {
        const page = await get(`v2/generations?limit=${PAGE}${cursor ? `&cursor=${cursor}` : ''}`);
        body.append(...page.map(row));
        cursor = page.at(-1)?.id;
        more.hidden = page.length < PAGE;
        return page.length;
    }
    if (!await load()) {
        page.append(h('div.card.empty', {}, h('p', {}, 'Nothing yet.'),
            h('a.button.primary', { href: '#create' }, 'Make the first one')));
        return;
    }
    page.append(h('div.card', {}, list), more);
}
