// SPDX-License-Identifier: MIT
// Original and result, in step.
import { clock, h, tabs } from './dom.js';

// `original` may be null. Gives { element, video, seek }.
export function comparePlayer(original, result) {
    const after = h('video', { src: result, playsinline: true, preload: 'auto' });
    const before = original && h('video', { src: original, playsinline: true, preload: 'auto' });
    if (before)
        before.muted = true;
    const stage = h('div.compare', { class: `compare ${before ? 'side' : 'only'}` },
        before && h('figure', {}, before, h('figcaption', {}, 'Original')),
        h('figure', {}, after, h('figcaption', {}, 'Result')), h('div.handle'));
    stage.style.setProperty('--at', '50%');
    const play = h('button.primary', { type: 'button', 'aria-label': 'Play',
        onclick: () => (after.paused ? after.play() : after.pause()) }, '▶');
    const at = h('input', { type: 'range', min: 0, max: 1, step: 0.001, value: 0,
        'aria-label': 'Position', oninput: () => seek(at.value * after.duration) });
    const time = h('span.note', {}, '0:00');
    const wipe = h('input', { type: 'range', min: 0, max: 100, value: 50,
        'aria-label': 'Where the wipe stands', oninput: () =>
            stage.style.setProperty('--at', `${wipe.value}%`) });
    wipe.hidden = true;

    function step() { // the original follows; behind its end it stands
        if (before && Number.isFinite(before.duration)) {
            const wanted = Math.min(after.currentTime, before.duration - 0.01);
            if (Math.abs(before.currentTime - wanted) > (after.paused ? 0.01 : 0.08))
                before.currentTime = wanted;
        }
        if (after.duration)
            at.value = after.currentTime / after.duration;
        time.textContent = `${clock(after.currentTime)} / ${clock(after.duration || 0)}`;
    }
    function seek(seconds) {
        after.currentTime = seconds;
        step();
    }
    after.addEventListener('timeupdate', step);
    after.addEventListener('seeked', step);
    after.addEventListener('loadedmetadata', step);
    after.addEventListener('play', () => { play.textContent = '❚❚';
        play.setAttribute('aria-label', 'Pause'); before?.play().catch(() => {}); });
    after.addEventListener('pause', () => { play.textContent = '▶';
        play.setAttribute('aria-label', 'Play'); before?.pause(); step(); });

    const speed = h('select', { 'aria-label': 'Speed', onchange: () => {
        after.playbackRate = Number(speed.value);
        if (before)
            before.playbackRate = Number(speed.value);
    } }, ['1', '0.5', '0.25'].map(v => h('option', { value: v }, `${v}×`)));
    speed.style.width = 'auto';
    const loop = h('label.inline', {}, h('input', { type: 'checkbox', onchange: event => {
        after.loop = event.target.checked; } }), 'Loop');
    const mode = before && tabs('View', { side: 'Side by side', wipe: 'Wipe', only: 'Result' },
        'side', name => { stage.className = `compare ${name}`; wipe.hidden = name !== 'wipe'; });
    return { video: after, seek, element: h('div', {}, mode, stage, wipe, h('p', {}),
        h('div.row.player', {}, play, h('div.grow', {}, at), time, speed, loop)) };
}
