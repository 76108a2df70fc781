const ROWS = 5000
const AT_ONCE = 100
const KINDS = ['bolt', 'washer', 'hinge', 'bracket', 'screw', 'hook', 'plug']
const stock = Array.from({ length: ROWS }, (_, i) => ({ code: `S-${1000 + i}`, name: `${KINDS[i % 7]} no. ${i % 90}`, pieces: (i * 7919) % 4001 }))
const rows = document.querySelector('#rows')
const state = document.querySelector('#state')

function row({ code, name, pieces }) {
  const line = document.createElement('div')
  line.className = 'row'
  line.append(...[code, name, pieces].map(text => Object.assign(document.createElement('span'), { textContent: text })))
  return line
}

const nextFrame = () => new Promise(resolve => { requestAnimationFrame(resolve) })

async function render() {
  for (let from = 0; from < ROWS; from += AT_ONCE) {
    await nextFrame()
    const group = document.createElement('div')
    group.className = 'rows'
    group.append(...stock.slice(from, from + AT_ONCE).map(row))
    const old = rows.children[from / AT_ONCE]
    if (old) old.replaceWith(group)
    else rows.append(group)
    state.textContent = `${from + AT_ONCE} rows`
  }
}

document.querySelector('#sort').addEventListener('click', async () => {
  stock.sort((a, b) => b.pieces - a.pieces)
  await render()
  state.dataset.sorted = 'yes'
})
await render()
state.dataset.shown = 'yes'
