/* Keeps the last snapshot of each page for when the server cannot be reached. dashboard/installable.py
   puts BUILD, FILES and NOWHERE before this.

   A page is always asked of the server first; what is kept is shown only when there is no answer, and
   says so: the html element carries data-saved, the moment it was kept, and assets/live.js dresses every
   figure as stale. Dash's scripts are cut out of it, for there is nobody they could ask. Streams,
   layouts and readings never pass here. */
"use strict";

const STATIC = "pendopo-files-" + BUILD;
const PAGES = "pendopo-pages";
const MOST_PAGES = 24;
const MOST_CHARACTERS = 2000000;
const PATIENCE_MS = 15000;   // a server that takes longer than this for a page that is kept is as good as gone
const SAVED_AT = "x-pendopo-saved-at";

self.addEventListener("install", function (event) {
  event.waitUntil(caches.open(STATIC).then(function (cache) { return cache.addAll(FILES); }));
  self.skipWaiting();
});

self.addEventListener("activate", function (event) {
  event.waitUntil(removeOldFiles().then(function () { return self.clients.claim(); }));
});

async function removeOldFiles() {
  const names = await caches.keys();
  const old = names.filter(function (name) { return name.startsWith("pendopo-files-") && name !== STATIC; });
  await Promise.all(old.map(function (name) { return caches.delete(name); }));
}

self.addEventListener("fetch", function (event) {
  const request = event.request;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(page(event, url));
  } else if (url.pathname.startsWith("/assets/")) {
    event.respondWith(file(request));
  }
});

/* A file by its fingerprint; without the server also one of another build, for a page that is older. */
async function file(request) {
  const kept = await caches.match(request);
  if (kept) return kept;
  try {
    return await fetch(request);
  } catch (gone) {
    const near = await caches.match(request, { ignoreSearch: true });
    if (near) return near;
    throw gone;
  }
}

async function page(event, url) {
  const key = keyOf(url);
  const kept = await (await caches.open(PAGES)).match(key);
  let reply = null;
  try {
    reply = await (kept ? soon(event.request) : fetch(event.request));
  } catch (gone) {
    return kept ? asSaved(kept) : nowhere();
  }
  if (kept && [502, 503, 504].includes(reply.status)) return asSaved(kept);
  // A device that may no longer see, and a screen that is none any more, keep nothing of what they saw.
  const none = url.pathname === "/screen" && reply.ok;
  if (none || [401, 403, 410].includes(reply.status)) event.waitUntil(forget());
  if (reply.ok && !reply.redirected && isPage(reply)) event.waitUntil(keep(key, reply.clone()));
  return reply;
}

function soon(request) {
  return fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
}

/* The address without language and theme: a page's snapshot is its newest, however it was looked at. */
function keyOf(url) {
  const asked = new URLSearchParams(url.search);
  asked.delete("lang");
  asked.delete("theme");
  asked.sort();
  return self.location.origin + url.pathname + (asked.size ? "?" + asked : "");
}

function isPage(reply) {
  return (reply.headers.get("content-type") || "").startsWith("text/html");
}

async function keep(key, reply) {
  const text = await reply.text();
  if (text.includes('<div id="first">')) await put(key, text, reply.headers, Date.now());
}

async function put(key, text, headers, at) {
  if (text.length > MOST_CHARACTERS) return;
  const cache = await caches.open(PAGES);
  const kept = new Headers({ "content-type": "text/html; charset=utf-8", [SAVED_AT]: String(at) });
  const policy = headers.get("content-security-policy");
  if (policy) kept.set("content-security-policy", policy);
  await cache.put(key, new Response(text, { headers: kept }));
  const keys = await cache.keys();   // what was put last stands last
  await Promise.all(keys.slice(0, -MOST_PAGES).map(function (old) { return cache.delete(old); }));
}

async function asSaved(kept) {
  const text = (await kept.text())
    .replace("<html ", '<html data-saved="' + Number(kept.headers.get(SAVED_AT)) + '" ')
    .replace(/<!--dash-->[^]*<!--\/dash-->/, "");
  return new Response(text, { headers: kept.headers });
}

function nowhere() {
  const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
  return new Response(NOWHERE, { status: 503, headers: headers });
}

/* What an open page shows now takes the place of what it showed when it was opened. */
async function update(address, content, at) {
  const key = keyOf(new URL(address));
  const cache = await caches.open(PAGES);
  const kept = (await cache.match(key)) || (await fetch(address));
  if (!kept.ok || !isPage(kept)) return;
  const text = await kept.text();
  const from = text.indexOf('<div id="first">');
  const to = text.indexOf('<div id="react-entry-point">');
  if (from < 0 || to < from) return;
  const whole = text.slice(0, from) + '<div id="first">' + content + "</div>\n" + text.slice(to);
  await put(key, whole, kept.headers, at);
}

async function forget() {
  await caches.delete(PAGES);
}

self.addEventListener("message", function (event) {
  const said = event.data || {};
  if (said.type === "snapshot") event.waitUntil(update(said.address, said.content, said.at).catch(function () {}));
  if (said.type === "forget") event.waitUntil(forget());
});
