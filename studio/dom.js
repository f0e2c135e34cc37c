// SPDX-License-Identifier: MIT
// Elements, and how things are written for people.

// h('a.button.primary', { href }, 'text', child): what begins with "on" listens.
export function h(what, properties = {}, ...children) {
    const [tag, ...classes] = what.split('.');
    const element = document.createElement(tag || 'div');
    if (classes.length)
        element.className = classes.join(' ');
    for (const [name, value] of Object.entries(properties)) {
        if (name.startsWith('on'))
            element.addEventListener(name.slice(2), value);
        else if (name.startsWith('aria-'))
            element.setAttribute(name, String(value));
        else if (value === true)
            element.setAttribute(name, '');
        else if (value !== false && value !== null && value !== undefined)
            element.setAttribute(name, value);
    }
    element.append(...children.flat().filter(c => c !== null && c !== undefined && c !== false));
    return element;
}

export const $ = id => document.getElementById(id);

let silence;
export function say(text) {
    clearTimeout(silence);
    $('say').replaceChildren(h('div', {}, text));
    silence = setTimeout(() => $('say').replaceChildren(), 5000);
}

export const fault = error => h('p.fault', { role: 'alert' }, error.message ?? String(error));

export function size(bytes) {
    return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function clock(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const hours = Math.floor(whole / 3600), rest = String(whole % 60).padStart(2, '0');
    const minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

export function span(seconds) {
    if (seconds < 60)
        return `${Math.max(1, Math.round(seconds))} s`;
    return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export const moment = time => new Date(time).toLocaleString([], { dateStyle: 'medium',
    timeStyle: 'short' });

// A place for files: a click, the keyboard, or dropping one there.
export function dropZone(title, hint, accept, take) {
    const input = h('input', { type: 'file', accept, 'aria-label': title,
        onchange: () => input.files[0] && take(input.files[0]) });
    const zone = h('label.drop', {
        ondragover: event => { event.preventDefault(); zone.classList.add('over'); },
        ondragleave: () => zone.classList.remove('over'),
        ondrop: event => {
            event.preventDefault();
            zone.classList.remove('over');
            if (event.dataTransfer.files[0])
                take(event.dataTransfer.files[0]);
        },
    }, h('strong', {}, title), h('span.note', {}, hint), input);
    return zone;
}

// Buttons of which one is on. `pick` gets the name.
export function tabs(label, names, first, pick) {
    const buttons = Object.entries(names).map(([name, text]) => h('button', { type: 'button',
        'aria-pressed': name === first, onclick: () => select(name) }, text));
    const select = name => {
        Object.keys(names).forEach((n, i) => buttons[i].setAttribute('aria-pressed', n === name));
        pick(name);
    };
    return h('div.tabs', { role: 'group', 'aria-label': label }, buttons);
}

export const table = (heads, rows) => h('div.scroll', {}, h('table', {},
    h('thead', {}, h('tr', {}, heads.map(text => h('th', {}, text)))), h('tbody', {}, rows)));
