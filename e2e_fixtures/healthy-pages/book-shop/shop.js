const basket = document.querySelector('#basket')
const buy = document.querySelector('#buy')
const similar = document.querySelector('#similar')
const measure = what => navigator.sendBeacon('/api/visits', JSON.stringify({ what, path: location.pathname }))

async function ask(path, method = 'GET') {
  const answer = await fetch(path, { method })
  return answer.json()
}

async function start() {
  basket.textContent = `${(await ask('/api/basket')).books} in the basket`
  document.body.dataset.ready = 'yes'
  if (similar) similar.textContent = `Similar: ${(await ask('/api/similar')).titles.join(', ')}`
}

buy?.addEventListener('click', async () => {
  measure('buy')
  basket.textContent = `${(await ask('/api/basket', 'POST')).books} in the basket`
  buy.textContent = 'It is yours'
  buy.dataset.bought = 'yes'
})
addEventListener('pagehide', () => measure('leave'))
measure('enter')
start()
