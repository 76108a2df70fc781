const FISH = ['Herring', 'Mackerel', 'Plaice', 'Sole', 'Cod', 'Turbot']
const NEWS = ['Calm sea expected until Friday', 'Two boats in from the east', 'Ice is cheaper this week']
const prices = document.querySelector('#prices')
const unit = document.querySelector('#unit')
let factor = 1

function row(name, i, n) {
  const line = document.createElement('tr')
  line.id = name.toLowerCase()
  const price = (4 + i * 3 + Math.sin(n + i)) * factor
  line.innerHTML = '<td></td><td></td>'
  line.firstChild.textContent = name
  line.lastChild.textContent = price.toFixed(2)
  line.lastChild.className = Math.cos(n + i) > 0 ? 'up' : 'down'
  return line
}

new EventSource('/prices').addEventListener('message', event => {
  const { n } = JSON.parse(event.data)
  prices.replaceChildren(...FISH.map((name, i) => row(name, i, n)))
  document.querySelector('#ticks').textContent = n
  document.querySelector('#news').textContent = NEWS[n % NEWS.length]
  const bar = document.createElement('i')
  bar.style.height = `${14 + 10 * Math.sin(n)}px`
  document.querySelector('#trend').append(bar)
})
unit.addEventListener('click', () => {
  factor = factor === 1 ? 0.45 : 1
  unit.textContent = factor === 1 ? 'per kilo' : 'per pound'
})
