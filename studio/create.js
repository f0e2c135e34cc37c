// SPDX-License-Identifier: MIT
// The first view: a film, a voice, how, and start.
import { send } from './api.js';
import { codeView } from './code.js';
import { fault, h } from './dom.js';
import { filmPicker } from './film.js';
import { voicePicker } from './voice.js';

const MODELS = [['lipsync-1.9.0-beta', 'Fast', 'A first look'],
    ['lipsync-2', 'Standard', 'For most films'],
    ['lipsync-2-pro', 'Pro', 'The sharpest mouths, takes twice as long']];
const MODES = { bounce: 'As long as the voice: the film runs forward and backward',
    loop: 'As long as the voice: the film starts again',
    cut_off: 'As long as the shorter of the two',
    silence: 'As long as the longer of the two',
    remap: 'As long as the voice: the film is slower or faster' };

// What the API is asked for. `state` as the pickers and controls fill it.
export function wishOf(state) {
    const seen = { type: state.film?.type ?? 'video', assetId: state.film?.asset.id ?? '…' };
    const image = seen.type === 'image';
    if (state.ranges.length && !image)
        seen.segments_secs = state.ranges;
    const voice = state.voice?.text
        ? { type: 'text', provider: { name: 'espeak-ng', ...state.voice.text } }
        : { type: 'audio', assetId: state.voice?.asset.id ?? '…' };
    const options = { sync_mode: state.mode, temperature: state.temperature };
    if (state.film?.face)
        options.active_speaker_detection = state.film.face;
    else if (state.auto && !image)
        options.active_speaker_detection = { auto_detect: true };
    if (state.occlusion)
        options.occlusion_detection_enabled = true;
    const wish = { model: image ? 'sync-3' : state.model, input: [seen, voice], options };
    if (state.name.trim())
        wish.outputFileName = state.name.trim();
    return wish;
}

function models(state, changed) {
    return h('fieldset.choices', {}, h('legend.note', {}, 'Quality'),
        MODELS.map(([id, name, text]) => h('label.choice', {}, h('input', { type: 'radio',
            name: 'model', value: id, checked: id === state.model,
            onchange: () => { state.model = id; changed(); } }), h('b', {}, name),
        h('span.note', {}, text))));
}

// Stretches of the film in which alone the voice is heard and spoken.
function ranges(state, changed) {
    const list = h('div.ranges');
    function add() {
        const [from, to] = ['From', 'To'].map(name => h('input', { type: 'number', min: 0,
            step: 0.1, 'aria-label': `${name}, seconds` }));
        const row = h('div.row', {}, from, h('span', {}, 'to'), to, h('span', {}, 's'),
            h('button.quiet', { type: 'button', 'aria-label': 'Remove this part',
                onclick: () => { row.remove(); read(); } }, '✕'));
        row.addEventListener('input', read);
        list.append(row);
    }
    function read() {
        state.ranges = [...list.children].map(row => [...row.querySelectorAll('input')]
            .map(i => Number(i.value))).filter(([from, to]) => to > from);
        changed();
    }
    return h('details', {}, h('summary', {}, 'Only some parts of the film'), h('p.note', {},
        'The voice lies on the film’s clock; outside of these parts picture and sound stay the ' +
        'film’s.'), list, h('button', { type: 'button', onclick: add }, '+ Part'));
}

function controls(state, changed) {
    const text = h('p.note', {}, MODES[state.mode]);
    const degree = h('output', { for: 'temperature' }, state.temperature.toFixed(2));
    return [models(state, changed),
        h('label', { for: 'mode' }, 'When voice and film differ in length'),
        h('select', { id: 'mode', onchange: event => { state.mode = event.target.value;
            text.textContent = MODES[state.mode]; changed(); } },
        Object.keys(MODES).map(m => h('option', { value: m, selected: m === state.mode }, m))),
        text,
        h('label', { for: 'temperature' }, 'Liveliness ', degree),
        h('input', { type: 'range', id: 'temperature', min: 0, max: 1, step: 0.05,
            value: state.temperature, oninput: event => {
                state.temperature = Number(event.target.value);
                degree.textContent = state.temperature.toFixed(2); changed(); } }),
        h('label.inline', {}, h('input', { type: 'checkbox', id: 'auto', onchange: event => {
            state.auto = event.target.checked; changed(); } }),
        'Several people: follow whoever speaks in the film'),
        h('label.inline', {}, h('input', { type: 'checkbox', onchange: event => {
            state.occlusion = event.target.checked; changed(); } }),
        'Hands or a microphone are often before the mouth'),
        ranges(state, changed),
        h('label', { for: 'name' }, 'Name of the result (optional)'),
        h('input', { type: 'text', id: 'name', maxlength: 200, oninput: event => {
            state.name = event.target.value; changed(); } })];
}

export function create(page, signal) {
    const state = { film: null, voice: null, model: 'lipsync-2', mode: 'bounce',
        temperature: 0.5, auto: false, occlusion: false, ranges: [], name: '' };
    const hint = h('p.note', { 'aria-live': 'polite' }), code = h('div'), trouble = h('div');
    const start = h('button.primary.big', { type: 'button', disabled: true, onclick: async () => {
        start.disabled = true;
        trouble.replaceChildren();
        try {
            const made = await send('POST', 'v2/generate', wishOf(state));
            location.hash = `job/${made.id}`;
        } catch (error) {
            trouble.replaceChildren(fault(error));
            start.disabled = false;
        }
    } }, 'Make it speak');
    const changed = () => {
        start.disabled = !state.film || !state.voice;
        hint.textContent = !state.film ? 'A film is missing.'
            : !state.voice ? 'A voice is missing.' : '';
        if (code.parentElement?.open)
            code.replaceChildren(codeView(wishOf(state)));
    };
    const step = (number, name, ...children) => h('section.card', {
        'aria-labelledby': `step${number}` }, h('h2', { id: `step${number}` },
        h('span.step', {}, String(number)), name), ...children);
    page.append(h('h1', {}, 'Make a film speak'), h('p.lead', {}, 'A film of a person, a new ' +
        'voice: that person’s own mouth speaks it. Everything outside the mouth stays as it was.'),
    h('div.columns', {}, step(1, 'Film', filmPicker(state, changed, signal)), h('div', {},
        step(2, 'Voice', voicePicker(state, changed, signal)),
        step(3, 'How', ...controls(state, changed), h('p', {}), start, hint, trouble))),
    h('details.card', { ontoggle: changed }, h('summary', {}, 'Show as code'), h('p', {}), code));
    changed();
}
