// SPDX-License-Identifier: MIT
// The voice: a file, the microphone, or a text.
import { get, local, send, upload } from './api.js';
import { dropZone, fault, h, size, tabs } from './dom.js';

const RECORD_MAX_MS = 10 * 60 * 1000;

// `state.voice`: { asset } or { text: { script, voiceId } } or null.
export function voicePicker(state, changed, signal) {
    const place = h('div');
    let stop; // of a recording
    let turn = 0; // what was begun before the last choice comes too late

    const set = voice => { state.voice = voice; changed(); };

    function fromFile() {
        set(null);
        turn++;
        place.replaceChildren(dropZone('Drop a voice here',
            'or click to choose: WAV, MP3, M4A, FLAC, OGG, or a film', 'audio/*,video/*', keep));
    }

    async function keep(file) {
        const mine = ++turn;
        const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Upload' });
        const sound = h('audio', { controls: true, src: URL.createObjectURL(file) });
        sound.style.width = '100%';
        place.replaceChildren(sound, h('div.picked', {}, h('div.grow', {},
            h('div.name', {}, file.name), h('div.note', {}, size(file.size)), bar),
        h('button.quiet', { type: 'button', onclick: fromFile }, 'Change')));
        try {
            const asset = await upload(file, 'AUDIO', v => { bar.value = v; }, signal);
            bar.remove();
            if (mine === turn)
                set({ asset });
        } catch (error) {
            if (!signal.aborted && mine === turn)
                place.append(fault(error));
        }
    }

    function fromMicrophone() {
        set(null);
        const mine = ++turn;
        const time = h('span.note', {}, 'Up to ten minutes. Nothing is sent before you stop.');
        const button = h('button', { type: 'button', onclick: () => (stop ? stop() : start()) },
            '● Record');
        async function start() {
            let stream;
            try {
                stream = await navigator.mediaDevices.getUserMedia({ audio: true });
            } catch {
                place.append(fault(new Error('The microphone cannot be used. It needs your ' +
                    'permission, and a page served from this machine or by https.')));
                return;
            }
            const recorder = new MediaRecorder(stream), parts = [], begin = Date.now();
            const timer = setInterval(() => {
                time.textContent = `${Math.floor((Date.now() - begin) / 1000)} s`;
                if (Date.now() - begin > RECORD_MAX_MS)
                    stop?.();
            }, 250);
            stop = () => { stop = null; clearInterval(timer); recorder.stop(); };
            signal.addEventListener('abort', () => stop?.());
            recorder.ondataavailable = event => parts.push(event.data);
            recorder.onstop = () => {
                stream.getTracks().forEach(track => track.stop());
                if (!signal.aborted && mine === turn)
                    keep(new File(parts, 'recording.webm', { type: recorder.mimeType }));
            };
            recorder.start();
            button.textContent = '■ Stop';
            button.classList.add('primary');
        }
        place.replaceChildren(h('div.row', {}, button, time));
    }

    async function fromText() {
        set(null);
        turn++;
        const script = h('textarea', { id: 'script', maxlength: 5000,
            placeholder: 'What shall be said?' });
        const choice = h('select', { id: 'voice' });
        const listen = h('button', { type: 'button' }, '▶ Listen');
        const heard = h('audio', { controls: '', hidden: true, 'aria-label': 'The spoken text' });
        const wish = () => ({ script: script.value, voiceId: choice.value || 'en' });
        const take = () => {
            turn++; // what is being spoken is no longer asked for
            heard.hidden = true;
            heard.pause();
            listen.disabled = !script.value.trim();
            set(script.value.trim() ? { text: wish() } : null);
        };
        // Only to be heard: the film is spoken anew, with the same sound.
        listen.addEventListener('click', async () => {
            const asked = wish(), mine = ++turn;
            listen.disabled = true;
            try {
                const spoken = await send('POST', 'v2/tts', asked);
                const sound = await (await fetch(local(spoken.url))).blob();
                send('DELETE', `v2/assets/${spoken.id}`).catch(() => {});
                if (signal.aborted || mine !== turn)
                    return;
                Object.assign(heard, { src: URL.createObjectURL(sound), hidden: false });
                heard.play().catch(() => {});
            } catch (error) {
                if (!signal.aborted && mine === turn)
                    place.append(fault(error));
            } finally {
                listen.disabled = !script.value.trim();
            }
        });
        listen.disabled = true;
        script.addEventListener('input', take);
        choice.addEventListener('change', take);
        place.replaceChildren(h('label', { for: 'script' }, 'Text'), script,
            h('label', { for: 'voice' }, 'Voice'), choice, h('div.row.after', {}, listen, heard));
        const voices = await get('v2/voices').catch(() => []);
        choice.append(...voices.map(v => h('option', { value: v.voiceId,
            selected: v.voiceId === 'en-us' }, `${v.name} (${v.voiceId})`)));
        if (!voices.length)
            place.append(h('p.note', {}, 'espeak-ng is not installed on the server: texts cannot ' +
                'be spoken there.'));
    }

    const ways = { file: fromFile, microphone: fromMicrophone, text: fromText };
    fromFile();
    return h('div', {}, tabs('Where the voice comes from', { file: 'File',
        microphone: 'Microphone', text: 'Text' }, 'file', name => { ways[name](); stop?.(); }),
    place);
}
