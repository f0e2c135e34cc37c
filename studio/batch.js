// SPDX-License-Identifier: MIT
// One recording, many messages; or a file of lines that somebody made elsewhere.
import { get, local, send } from './api.js';
import { dropZone, fault, h, moment, say, table } from './dom.js';

async function submit(lines, place) {
    const form = new FormData();
    form.append('input', lines, 'batch.jsonl');
    try {
        await send('POST', 'v2/batch', form);
        say('The batch is on its way');
        return true;
    } catch (error) {
        place.replaceChildren(fault(error));
        return false;
    }
}

// A line for each message: every one of them is spoken by the same film.
function messages(videos, voices, done) {
    const film = h('select', { id: 'film' }, videos.map(v => h('option', { value: v.id }, v.name)));
    const voice = h('select', { id: 'voice' }, voices.map(v => h('option', { value: v.voiceId,
        selected: v.voiceId === 'en-us' }, `${v.name} (${v.voiceId})`)));
    const texts = h('textarea', { id: 'texts', placeholder: 'Hello Anna, …\nHello Ben, …' });
    const place = h('div');
    return h('form', { onsubmit: async event => {
        event.preventDefault();
        const said = texts.value.split('\n').map(t => t.trim()).filter(Boolean);
        const payload = script => ({ model: 'lipsync-2', options: { sync_mode: 'bounce' },
            input: [{ type: 'video', assetId: film.value }, { type: 'text',
                provider: { name: 'espeak-ng', voiceId: voice.value, script } }] });
        const lines = said.map((script, i) => JSON.stringify({ request_id: `message-${i + 1}`,
            endpoint: '/v2/generate',
            payload: { ...payload(script), outputFileName: `message-${i + 1}` } }));
        if (await submit(new Blob([lines.join('\n')]), place))
            done();
    } }, h('label', { for: 'film' }, 'Recording'), film,
    h('label', { for: 'voice' }, 'Voice'), voice,
    h('label', { for: 'texts' }, 'Messages, one a line'), texts, place, h('p', {}),
    h('button.primary', {}, 'Make them all'));
}

function row(b) {
    const m = b.metrics, over = m.total_generations - m.pending_count;
    return h('tr', {}, h('td', {}, moment(b.created_at)),
        h('td', {}, h('span.chip', { class: `chip ${b.status}` }, b.status)),
        h('td', {}, h('progress', { max: m.total_generations, value: over,
            'aria-label': `${over} of ${m.total_generations} are over` })),
        h('td', {}, `${m.success_count} good, ${m.failed_count} failed`),
        h('td', {}, b.outputUrl ? h('a', { href: local(b.outputUrl), download: `${b.id}.jsonl` },
            'Download') : ''));
}

export async function batch(page, signal) {
    const list = h('div'), place = h('div');
    async function refresh() {
        const all = await get('v2/batch');
        list.replaceChildren(all.length ? table(['Made', 'Status', 'Progress', 'Outcome',
            'Results'], all.slice(0, 50).map(row)) : h('p.empty', {}, 'No batch yet.'));
        if (!signal.aborted && all.some(b => b.status !== 'COMPLETED'))
            setTimeout(() => !signal.aborted && refresh().catch(() => {}), 2000);
    }
    const [{ items }, voices] = await Promise.all([get('v2/assets?types=VIDEO&limit=100'),
        get('v2/voices').catch(() => [])]);
    page.append(h('h1', {}, 'Batch'), h('p.lead', {}, 'One recording, any number of messages.'),
        h('div.columns', {}, h('section.card', {}, h('h2', {}, 'Messages'),
            !items.length ? h('p.note', {}, 'Upload a film first, under Create.')
                : !voices.length ? h('p.note', {}, 'espeak-ng is not installed on the server: ' +
                'texts cannot be spoken there.') : messages(items, voices, refresh)),
        h('section.card', {}, h('h2', {}, 'A file of lines'), dropZone('Drop a JSONL file here',
            'as for POST /v2/batch, up to 1000 lines', '.jsonl,.json', async file => {
                if (await submit(file, place))
                    refresh();
            }), place)),
        h('section.card', {}, h('h2', {}, 'Batches'), list));
    await refresh();
}
