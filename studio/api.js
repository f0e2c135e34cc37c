// SPDX-License-Identifier: MIT
// The public HTTP API, as any other client uses it.

const store = window.localStorage;

export const key = () => store.getItem('lipsync-key') ?? '';
export const setKey = text => (text ? store.setItem('lipsync-key', text)
    : store.removeItem('lipsync-key'));

export class ApiError extends Error {
    constructor(status, body) {
        const text = Array.isArray(body?.message) ? body.message.join('. ') : body?.message;
        super(text ?? `The server answers ${status}`);
        this.status = status;
        this.code = body?.errorCode;
    }
}

async function ask(path, options = {}) {
    let answer;
    try {
        answer = await fetch(path, { ...options,
            headers: { 'x-api-key': key(), ...options.headers } });
    } catch {
        throw new ApiError(0, { message: 'The server cannot be reached' });
    }
    if (answer.ok)
        return answer;
    const error = new ApiError(answer.status, await answer.json().catch(() => null));
    if (answer.status === 401)
        window.dispatchEvent(new CustomEvent('locked'));
    throw error;
}

export const get = async path => (await ask(path)).json();
export const send = async (method, path, body) => (await ask(path, { method,
    headers: body instanceof FormData ? {} : { 'content-type': 'application/json' },
    body: body instanceof FormData ? body : body && JSON.stringify(body) })).json();

// A link of the server, for this page: wherever it is open.
export const local = link => {
    const url = new URL(link, location.href);
    return `${url.pathname.replace(/^\//, '')}${url.search}`;
};

// Three steps: a place, the bytes, the asset. `tell` gets 0 to 1.
export async function upload(file, type, tell, signal) {
    const place = await send('POST', 'v2/assets/upload', { fileName: file.name,
        contentType: file.type, size: file.size });
    await new Promise((done, fail) => {
        const request = new XMLHttpRequest();
        request.open('PUT', local(place.uploadUrl));
        request.upload.onprogress = event => tell(event.loaded / event.total);
        request.onload = () => (request.status === 200 ? done()
            : fail(new ApiError(request.status, JSON.parse(request.responseText || 'null'))));
        request.onerror = () => fail(new ApiError(0, { message: 'The upload broke off' }));
        signal?.addEventListener('abort', () => { request.abort(); fail(signal.reason); });
        request.send(file);
    });
    return send('POST', 'v2/assets', { url: place.url, type });
}

// Server-sent events of a generation; with fetch, since EventSource sends no key. Begins again
// when the line breaks.
export async function follow(id, tell, signal) {
    while (!signal.aborted) {
        try {
            const answer = await ask(`v2/generations/${id}/events`, { signal });
            const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
            for (let rest = ''; ;) {
                const { done, value } = await reader.read();
                if (done)
                    break;
                const parts = (rest + value).split('\n\n');
                rest = parts.pop();
                for (const part of parts) {
                    const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(part) ?? [];
                    if (name && tell(name, JSON.parse(data)) === false)
                        return;
                }
            }
        } catch (error) {
            if (signal.aborted || (error instanceof ApiError && error.status))
                throw error;
        }
        await new Promise(next => setTimeout(next, 1000));
    }
}
