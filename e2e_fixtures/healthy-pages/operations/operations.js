const EVERY_MS = 5000
const TITLES = {
  orders: 'Orders a minute',
  visitors: 'Visitors now',
  errors: 'Failed payments',
  latency: 'Median answer, ms',
  queue: 'Parcels waiting',
  stock: 'Shelves to refill',
}
const widgets = document.querySelector('#widgets')
const clock = document.querySelector('#clock')

function place([name, title]) {
  const widget = document.createElement('section')
  widget.id = name
  widget.innerHTML = '<h2></h2><output>–</output><svg viewBox="0 0 120 40" preserveAspectRatio="none"><polyline></polyline></svg>'
  widget.firstChild.textContent = title
  widgets.append(widget)
  refresh(widget)
}

async function refresh(widget) {
  const answer = await fetch(`/api/metrics/${widget.id}`)
  const { now, values } = await answer.json()
  widget.querySelector('output').textContent = now
  widget.querySelector('polyline').setAttribute('points', values.map((value, i) => `${i * 12},${38 - value}`).join(' '))
  console.info(`${widget.id} is ${now}`)
  widget.dataset.refreshed = Number(widget.dataset.refreshed ?? 0) + 1
  setTimeout(refresh, EVERY_MS, widget)
}

Object.entries(TITLES).forEach(place)
setInterval(() => { clock.textContent = new Date().toLocaleTimeString('en-GB') }, 1000)
document.querySelector('#range').addEventListener('click', event => {
  event.target.textContent = event.target.textContent === 'Last hour' ? 'Last day' : 'Last hour'
})
