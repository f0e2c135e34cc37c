// SPDX-License-Identifier: MIT
// The film that is to speak: chosen, sent, shown, and the faces in it.
import { send, upload } from './api.js';
import { dropZone, fault, h, size } from './dom.js';

// `state.film`: { asset, type, face } or null; `changed` is called when it changes.
export function filmPicker(state, changed, signal) {
    const place = h('div'), note = h('p.note', { 'aria-live': 'polite' });

    function empty() {
        state.film = null;
        place.replaceChildren(dropZone('Drop a film or a picture here',
            'or click to choose: MP4, MOV, WebM, MKV, AVI, JPEG, PNG', 'video/*,image/*', take));
        note.textContent = '';
        changed();
    }

    async function take(file) {
        const image = file.type.startsWith('image/');
        const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Upload' });
        const seen = h(image ? 'img' : 'video', { src: URL.createObjectURL(file), alt: 'The film',
            muted: true, playsinline: true, controls: !image, preload: 'auto' });
        const frame = h('div.frame', {}, seen);
        place.replaceChildren(h('div.screen', {}, frame), h('div.picked', {}, h('div.grow', {},
            h('div.name', {}, file.name), h('div.note', {}, size(file.size)), bar),
        h('button.quiet', { type: 'button', onclick: empty }, 'Change')));
        seen.addEventListener('error', () => frame.replaceWith(h('p.fault', {},
            'This browser cannot show the film. The server may well be able to read it.')));
        try {
            const asset = await upload(file, image ? 'IMAGE' : 'VIDEO', v => { bar.value = v; },
                signal);
            bar.remove();
            state.film = { asset, type: image ? 'image' : 'video', face: null };
            changed();
            faces(seen, frame, note, state, changed, signal);
        } catch (error) {
            if (!signal.aborted)
                place.append(fault(error));
        }
    }

    empty();
    return h('div', {}, place, note);
}

// Boxes over the frame that is shown; looked for anew wherever the film stops.
function faces(seen, frame, note, state, changed, signal) {
    const video = seen instanceof HTMLVideoElement;
    const film = state.film;
    let asked = 0;

    const clear = () => frame.querySelectorAll('.spot').forEach(spot => spot.remove());

    async function look() {
        const turn = ++asked;
        note.textContent = 'Looking for faces …';
        try {
            const found = await send('POST', 'v2/analyze/faces', {
                time: video ? seen.currentTime : 0,
                input: [{ type: film.type, assetId: film.asset.id }] });
            if (turn === asked && !signal.aborted && state.film === film)
                draw(found);
        } catch (error) {
            if (turn === asked)
                note.textContent = `No faces can be shown: ${error.message}`;
        }
    }

    function draw({ frame: number, width, height, faces: all }) {
        clear();
        const fromTheLeft = [...all].sort((a, b) => a.box[0] - b.box[0]);
        const spots = fromTheLeft.map(({ box: [x0, y0, x1, y1], coordinates }, i) => {
            const spot = h('button.spot', { type: 'button', 'aria-pressed': false,
                'aria-label': `Face ${i + 1}: this one shall speak`, onclick: () => {
                    const on = spot.getAttribute('aria-pressed') !== 'true';
                    spots.forEach(s => s.setAttribute('aria-pressed', s === spot && on));
                    film.face = on ? { frame_number: number, coordinates } : null;
                    changed();
                } }, h('span', {}, String(i + 1)));
            spot.style.left = `${100 * x0 / width}%`;
            spot.style.top = `${100 * y0 / height}%`;
            spot.style.width = `${100 * (x1 - x0) / width}%`;
            spot.style.height = `${100 * (y1 - y0) / height}%`;
            return spot;
        });
        frame.append(...spots);
        note.textContent = !all.length
            ? 'No face is seen in this picture. Move to one in which the person is seen.'
            : all.length === 1
                ? 'One face is seen. Without a choice the largest face that stays will speak.'
                : `${all.length} faces are seen: click the one that shall speak, or let the ` +
                    'studio find who speaks.';
    }

    if (video) {
        seen.addEventListener('seeked', () => seen.paused && look());
        seen.addEventListener('pause', look);
        seen.addEventListener('play', clear);
    }
    look();
}
