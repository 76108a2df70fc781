const COLUMNS = ['todo', 'doing', 'finished']
const bed = () => new URLSearchParams(location.search).get('bed') ?? 'roses'
let dragged = null
let shows = 0

function card({ id, text, column }) {
  const element = document.createElement('article')
  element.id = `task-${id}`
  element.draggable = true
  element.textContent = text
  element.addEventListener('dragstart', event => {
    dragged = element
    event.dataTransfer.setData('text/plain', element.id)
  })
  document.querySelector(`#${column}`).append(element)
}

async function show() {
  const wanted = bed()
  for (const link of document.querySelectorAll('nav a')) link.toggleAttribute('aria-current', link.id === wanted)
  const answer = await fetch(`/api/beds/${wanted}/tasks`)
  const { tasks } = await answer.json()
  shows += 1
  document.body.dataset.shows = shows
  if (wanted !== bed()) return
  for (const old of document.querySelectorAll('article')) old.remove()
  tasks.forEach(card)
  document.body.dataset.bed = wanted
}

async function move(element, column) {
  const before = element.parentElement
  column.append(element)
  element.classList.add('saving')
  const answer = await fetch(`/api/tasks/${element.id.slice(5)}`, { method: 'PUT', body: JSON.stringify({ column: column.id }) })
  if (!answer.ok) before.append(element)
  await answer.json()
  element.classList.remove('saving')
  element.dataset.saved = column.id
}

for (const column of COLUMNS.map(name => document.querySelector(`#${name}`))) {
  column.addEventListener('dragover', event => {
    event.preventDefault()
    column.classList.add('over')
  })
  column.addEventListener('dragleave', () => column.classList.remove('over'))
  column.addEventListener('drop', event => {
    event.preventDefault()
    column.classList.remove('over')
    move(dragged, column)
  })
}
document.querySelector('nav').addEventListener('click', event => {
  const link = event.target.closest('a')
  if (!link) return
  event.preventDefault()
  history.pushState(null, '', link.search)
  show()
})
addEventListener('popstate', show)
show()
