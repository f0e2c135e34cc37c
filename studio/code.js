// SPDX-License-Identifier: MIT
// The same wish as code, for those who want to go on without the studio.
import { h, say, tabs } from './dom.js';

const TIERS = { 'lipsync-1.9.0-beta': 'fast', 'lipsync-2': 'standard', 'lipsync-2-pro': 'pro',
    'sync-3': 'pro', 'react-1': 'pro' };
const quote = text => `'${String(text).replaceAll("'", "'\\''")}'`;
const server = () => location.href.replace(/[#?].*$/, '').replace(/\/$/, '');

function curl(wish) {
    return `curl -X POST ${server()}/v2/generate \\\n  -H "x-api-key: $LIPSYNC_KEY" \\\n` +
        `  -H 'content-type: application/json' \\\n  -d ${quote(JSON.stringify(wish, null, 2))}`;
}

function typescript(wish) {
    return `import { SyncClient } from "@sync.so/sdk";\n\nconst sync = new SyncClient({\n` +
        `  baseUrl: "${server()}", apiKey: process.env.LIPSYNC_KEY });\n` +
        `let job = await sync.generations.create(${JSON.stringify(wish, null, 2)});\n` +
        `while (!["COMPLETED", "FAILED", "REJECTED"].includes(job.status)) {\n` +
        `  await new Promise(next => setTimeout(next, 2000));\n` +
        `  job = await sync.generations.get(job.id);\n}\nconsole.log(job.outputUrl ?? job.error);`;
}

function python(wish) {
    const literal = JSON.stringify(wish, null, 4).replace(/\btrue\b/g, 'True')
        .replace(/\bfalse\b/g, 'False').replace(/\bnull\b/g, 'None');
    return `import os, time, requests\n\nserver = "${server()}"\n` +
        `headers = {"x-api-key": os.environ["LIPSYNC_KEY"]}\n` +
        `job = requests.post(f"{server}/v2/generate", headers=headers, json=${literal}).json()\n` +
        `while job["status"] in ("PENDING", "PROCESSING"):\n    time.sleep(2)\n` +
        `    job = requests.get(f"{server}/v2/generate/{job['id']}", headers=headers).json()\n` +
        `print(job["outputUrl"] or job["error"])`;
}

function cli(wish) {
    const voice = wish.input.find(i => i.type === 'audio' || i.type === 'text');
    const film = wish.input.find(i => i.type === 'video' || i.type === 'image');
    const asd = wish.options?.active_speaker_detection ?? {};
    const words = ['lipsync', film?.type === 'image' ? 'picture.png' : 'film.mp4'];
    if (voice?.type === 'text')
        words.push('--text', quote(voice.provider.script), '--language',
            quote(voice.provider.voiceId));
    else
        words.push('voice.wav');
    words.push('-o', 'out.mp4', '--tier', TIERS[wish.model] ?? 'standard');
    if (wish.options?.sync_mode)
        words.push('--sync', wish.options.sync_mode);
    if (wish.options?.temperature !== undefined)
        words.push('--temperature', wish.options.temperature);
    if (asd.auto_detect)
        words.push('--speaker', 'auto');
    for (const [from, to] of film?.segments_secs ?? [])
        words.push('--only', `${from}-${to}`);
    const face = asd.coordinates && `\n# the face: see 'lipsync faces film.mp4', then --face N ` +
        `(here: frame ${asd.frame_number}, ${asd.coordinates.map(Math.round)})`;
    return words.join(' ') + (face ?? '');
}

export function codeView(wish) {
    const ways = { curl, typescript, python, cli };
    const text = h('pre', { tabindex: 0 });
    const pick = name => { text.textContent = ways[name](wish); };
    const copy = h('button', { type: 'button', onclick: async () => {
        await navigator.clipboard.writeText(text.textContent).then(() => say('Copied'),
            () => say('This browser does not let the page copy'));
    } }, 'Copy');
    pick('curl');
    return h('div', {}, h('div.row.apart', {}, tabs('Language', { curl: 'curl',
        typescript: 'TypeScript SDK', python: 'Python', cli: 'Command line' }, 'curl', pick), copy),
    text);
}
