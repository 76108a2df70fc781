const note = document.querySelector('#note')
const list = document.querySelector('#notes')
const kept = JSON.parse(localStorage.getItem('notes') ?? '[]')

function show(text) {
  const item = document.createElement('li')
  item.textContent = text
  list.prepend(item)
}

async function loadSpecies() {
  const answer = await fetch('/api/species')
  const { names } = await answer.json()
  document.querySelector('#species').textContent = `Seen here: ${names.join(', ')}`
  document.body.dataset.species = names.length
}

note.addEventListener('input', () => localStorage.setItem('draft', note.value))
document.querySelector('#keep').addEventListener('click', async () => {
  kept.push(note.value)
  localStorage.setItem('notes', JSON.stringify(kept))
  show(note.value)
  note.value = ''
  const answer = await fetch('/api/notes', { method: 'POST', body: JSON.stringify(kept.at(-1)) })
  list.firstChild.dataset.number = (await answer.json()).number
})

kept.forEach(show)
await navigator.serviceWorker.register('keeper.js')
await navigator.serviceWorker.ready
document.querySelector('#ready').textContent = 'works without a network'
document.querySelector('#ready').dataset.ready = 'yes'
loadSpecies()
