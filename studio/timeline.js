// SPDX-License-Identifier: MIT
// The report over time: the voice, the mouth that it asks for, the mouth that was drawn, and where
// the film was left alone.
import { clock, h, table } from './dom.js';

const KINDS = { no_face: ['#8a8aa0', 'no face'], profile: ['#d9a320', 'turned away'],
    tiny: ['#a06cc0', 'too small'], unsure: ['#d9534f', 'not sure'], held: ['#6f8fcf', 'held'],
    occluded: ['#c0723c', 'covered'], not_speaking: ['#5aa0a0', 'does not speak'] };
const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function line(context, values, y, step, style) {
    context.strokeStyle = style;
    context.lineWidth = 1.6;
    context.beginPath();
    let on = false;
    values.forEach((v, i) => {
        if (v === null) {
            on = false;
        } else if (on) {
            context.lineTo(i * step, y(v));
        } else {
            context.moveTo(i * step, y(v));
            on = true;
        }
    });
    context.stroke();
}

function paint(canvas, report, playhead) {
    const t = report.timeline, n = t.said.length, ratio = window.devicePixelRatio || 1;
    const w = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = w * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext('2d'), step = w / Math.max(1, n);
    context.scale(ratio, ratio);
    const seconds = n * t.step_s, x = s => s / seconds * w;
    for (const [kind, { ranges }] of Object.entries(report.result.declined))
        for (const r of ranges) {
            context.fillStyle = `${KINDS[kind]?.[0] ?? '#888888'}55`;
            context.fillRect(x(r.from_s), 0, Math.max(2, x(r.to_s) - x(r.from_s)), height);
        }
    context.fillStyle = `${color('--soft')}55`;
    t.voice.forEach((v, i) => context.fillRect(i * step, height - v / 100 * 36,
        Math.max(1, step * .8), v / 100 * 36));
    const top = Math.max(80, ...t.said.filter(Number.isFinite), ...t.drawn.filter(Number.isFinite));
    const y = v => 86 - v / top * 76;
    line(context, t.said, y, step, color('--said'));
    line(context, t.drawn, y, step, color('--drawn'));
    context.fillStyle = color('--text');
    context.fillRect(x(playhead) - 1, 0, 2, height);
}

function words(report) {
    const declined = Object.entries(report.result.declined).filter(([, d]) => d.frames);
    if (!declined.length)
        return h('p.note', {}, 'No frame was left alone.');
    const when = ranges => ranges.slice(0, 12).map(r => `${clock(r.from_s)}–${clock(r.to_s)}`)
        .join(', ') + (ranges.length > 12 ? ' …' : '');
    return h('details', {}, h('summary', {}, 'Where the film was left alone'),
        table(['Why', 'Frames', 'When'], declined.map(([kind, d]) => h('tr', {},
            h('td', {}, KINDS[kind]?.[1] ?? kind), h('td', {}, String(d.frames)),
            h('td', {}, when(d.ranges))))));
}

export function timelineView(report, player, signal) {
    const canvas = h('canvas', { role: 'img', 'aria-label': 'The mouth over time: what the voice ' +
        'asks for and what was drawn. Click to go there; the slider above does the same.' });
    const draw = () => canvas.clientWidth && paint(canvas, report, player.video.currentTime);
    canvas.addEventListener('click', event => player.seek(event.offsetX / canvas.clientWidth *
        player.video.duration));
    player.video.addEventListener('timeupdate', draw, { signal });
    window.addEventListener('resize', draw, { signal });
    window.addEventListener('theme', draw, { signal });
    requestAnimationFrame(draw);
    const chip = (style, text) => {
        const mark = h('i');
        mark.style.background = style;
        return h('span', {}, mark, text);
    };
    const kinds = Object.entries(report.result.declined).filter(([, d]) => d.frames);
    return h('div.timeline', {}, canvas, h('div.legend', {},
        chip('var(--said)', 'the voice asks for'), chip('var(--drawn)', 'drawn'),
        chip('var(--soft)', 'loudness'),
        kinds.map(([kind]) => chip(KINDS[kind]?.[0] ?? '#888', KINDS[kind]?.[1] ?? kind))),
    words(report));
}
