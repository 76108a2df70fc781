const PIECE_MS = 90
const PIECES = 20
const done = document.querySelector('#done')
const result = document.querySelector('#result')

async function fill(section) {
  const answer = await fetch(`/api/report/${section.id}`)
  const { lines } = await answer.json()
  section.querySelectorAll('p').forEach((line, i) => { line.textContent = lines[i] })
  section.setAttribute('aria-busy', 'false')
}

// One piece at a time, so that the page can be used meanwhile.
function forecast(seed, piece = 0) {
  const until = performance.now() + PIECE_MS
  let value = seed
  while (performance.now() < until) value = (value * 16807) % 2147483647
  done.value = piece + 1
  if (piece + 1 < PIECES) setTimeout(forecast, 30, value, piece + 1)
  else result.textContent = `Next year: ${(3 + (value % 40) / 10).toFixed(1)} % more`
  result.dataset.pieces = piece + 1
}

document.querySelectorAll('section').forEach(fill)
document.querySelector('#forecast').addEventListener('click', event => {
  event.target.textContent = 'Working …'
  setTimeout(forecast, 0, 42)
})
