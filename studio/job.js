// SPDX-License-Identifier: MIT
// One generation: on its way, and when it is there.
import { follow, get, local, send } from './api.js';
import { codeView } from './code.js';
import { clock, fault, h, moment, say, span } from './dom.js';
import { comparePlayer } from './player.js';
import { timelineView } from './timeline.js';

// What the engine does at which share of a job.
const STAGES = [[28, 'Looking at the film'], [34, 'Learning the mouth'],
    [38, 'Listening to the voice'], [98, 'Drawing'], [100, 'Joining picture and sound']];

function wishFrom({ model, input, options, segments, outputFileName }) {
    const wish = { model, input };
    for (const [name, value] of Object.entries({ options, segments, outputFileName }))
        if (value !== null)
            wish[name] = value;
    return wish;
}

function working(id) {
    const bar = h('progress', { max: 100, 'aria-label': 'Progress' });
    const text = h('p', { 'aria-live': 'polite' }, 'Waiting for its turn …');
    const cancel = h('button.danger', { type: 'button', onclick: async () => {
        cancel.disabled = true;
        await send('POST', `v2/generations/${id}/cancel`).catch(error => say(error.message));
    } }, 'Cancel');
    let begin;
    return { element: h('section.card', {}, h('h2', {}, 'In work'), bar, text, cancel),
        tell({ status, progress }) {
            if (status !== 'PROCESSING')
                return;
            begin ??= { time: Date.now(), progress };
            bar.value = progress;
            const done = progress - begin.progress, passed = (Date.now() - begin.time) / 1000;
            const stage = STAGES.find(([end]) => progress < end)?.[1] ?? STAGES.at(-1)[1];
            text.textContent = `${stage} · ${progress} %` + (done > 3
                ? ` · about ${span(passed / done * (100 - progress))} left` : '');
        } };
}

function facts(report) {
    const { result, verdict, warnings } = report;
    const follow = result.edited.frames + result.matching.frames;
    const share = result.frames ? Math.round(100 * follow / result.frames) : 0;
    const names = { good: 'Good', look: 'Have a look', poor: 'Poor', unchanged: 'Unchanged' };
    return h('section.card', {}, h('div.row', {}, h('span', { class: `chip ${verdict.grade}` },
        names[verdict.grade] ?? verdict.grade), h('strong.grow', {}, verdict.sentence)),
    h('p.note', {}, `${result.frames} frames, ${share} % of them follow the voice` +
        (result.copied ? `, ${result.copied} copied as they were coded` : '')),
    warnings.length ? h('ul', {}, warnings.map(w => h('li', {},
        `${w.text[0].toUpperCase()}${w.text.slice(1)}. ${w.remedy ?? ''}`))) : '');
}

async function finished(page, g, signal) {
    const seen = g.input.find(i => i.type === 'video');
    const original = seen?.assetId && await get(`v2/assets/${seen.assetId}`).catch(() => null);
    const report = await get(`v2/generations/${g.id}/report`).catch(() => null);
    const player = comparePlayer(original && local(original.url), local(g.outputUrl));
    page.append(h('section.card', {}, player.element,
        report?.timeline && timelineView(report, player, signal)),
    report && facts(report), h('div.row', {},
        h('a.button.primary', { href: local(g.outputUrl),
            download: `${g.outputFileName ?? g.id}.mp4` }, 'Download'),
        h('a.button', { href: '#create' }, 'Make another one')));
}

export async function job(page, signal, id) {
    const body = h('div'), g = await get(`v2/generations/${id}`);
    const chip = h('span', { class: `chip ${g.status}` }, g.status);
    page.append(h('div.row', {}, h('h1.grow', {}, g.outputFileName ?? 'Generation'), chip),
        h('p.lead', {}, `${g.model} · ${moment(g.createdAt)}`), body,
        h('p', {}), h('details.card', {}, h('summary', {}, 'Show as code'), h('p', {}),
            codeView(wishFrom(g))));
    let last = g;
    if (g.status === 'PENDING' || g.status === 'PROCESSING') {
        const work = working(id);
        body.append(work.element);
        await follow(id, (name, data) => {
            chip.textContent = data.status;
            chip.className = `chip ${data.status}`;
            if (name === 'done')
                last = data;
            else
                work.tell(data);
            return name !== 'done';
        }, signal);
        body.replaceChildren();
    }
    if (signal.aborted)
        return;
    if (last.status === 'COMPLETED') {
        await finished(body, last, signal);
        say(`Done: ${clock(last.outputDuration)}`);
    } else {
        body.append(fault(new Error(last.errorCode === 'generation_cancelled' ? 'It was cancelled.'
            : last.error ?? 'It failed.')), h('p.note', {}, last.errorCode ?? ''),
        h('a.button.primary', { href: '#create' }, 'Try again'));
    }
}
