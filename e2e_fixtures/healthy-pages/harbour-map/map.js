const TILE = 160
const map = document.querySelector('#map')
const tiles = new Map()
let left = 2104
let top = 1345

function draw(tile, depths) {
  const pen = tile.getContext('2d')
  depths.forEach((depth, i) => {
    pen.fillStyle = `hsl(200 45% ${78 - depth * 3}%)`
    pen.fillRect((i % 4) * 40, Math.floor(i / 4) * 40, 40, 40)
  })
}

async function load(column, row) {
  const key = `${column}/${row}`
  if (tiles.has(key)) return
  const tile = document.createElement('canvas')
  tile.width = tile.height = TILE
  tiles.set(key, tile)
  map.append(tile)
  const answer = await fetch(`/tiles/12/${key}.pbf`)
  draw(tile, new Uint8Array(await answer.arrayBuffer()).slice(0, 16).map(byte => (byte + column + row) % 12))
  tile.dataset.drawn = 'yes'
  document.querySelector('#state').textContent = `${map.querySelectorAll('[data-drawn]').length} tiles`
}

function show() {
  for (let row = top; row < top + 3; row += 1) {
    for (let column = left; column < left + 5; column += 1) load(column, row)
  }
  for (const [key, tile] of tiles) {
    const [column, row] = key.split('/')
    tile.style.translate = `${(column - left) * TILE}px ${(row - top) * TILE}px`
  }
}

function go(columns, rows) {
  left += columns
  top += rows
  show()
}

document.querySelector('#east').addEventListener('click', () => go(1, 0))
document.querySelector('#south').addEventListener('click', () => go(0, 1))
map.addEventListener('pointerdown', event => {
  const start = event.clientX
  map.addEventListener('pointerup', end => { if (start - end.clientX > TILE) go(2, 0) }, { once: true })
})
show()
