const SHELF = 'field-notes-3'

addEventListener('install', event => {
  const fill = async () => (await caches.open(SHELF)).addAll(['/', '/notes.css', '/notes.js'])
  event.waitUntil(fill().then(() => skipWaiting()))
})

addEventListener('activate', event => event.waitUntil(clients.claim()))

async function answer(request) {
  const found = await caches.match(request)
  if (found) return found
  const fresh = await fetch(request)
  if (request.method === 'GET' && fresh.ok) {
    const copy = fresh.clone()
    caches.open(SHELF).then(shelf => shelf.put(request, copy))
  }
  return fresh
}

addEventListener('fetch', event => event.respondWith(answer(event.request)))
