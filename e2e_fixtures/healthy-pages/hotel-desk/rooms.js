const $ = id => document.getElementById(id)
let chosen = null

function tell(text) {
  $('toast').textContent = text
  $('toast').classList.add('shown')
  setTimeout(() => $('toast').classList.remove('shown'), 900)
}

function row({ number, guest }) {
  const line = document.createElement('tr')
  line.id = `room-${number}`
  line.innerHTML = '<td></td><td></td><td><button type="button"></button></td>'
  const [room, name, last] = line.children
  room.textContent = number
  name.textContent = guest || 'free'
  last.firstChild.textContent = guest ? 'Cancel' : 'Book'
  last.firstChild.addEventListener('click', () => (name.textContent === 'free' ? book(line) : cancel(line)))
  return line
}

function book(line) {
  chosen = line
  $('guest').value = ''
  $('booking').returnValue = ''
  $('booking').showModal()
}

async function save(method, line, guest) {
  const answer = await fetch(`/api/rooms/${line.id.slice(5)}`, { method, body: JSON.stringify({ guest }) })
  await answer.json()
  line.children[1].textContent = guest || 'free'
  line.querySelector('button').textContent = guest ? 'Cancel' : 'Book'
  line.dataset.saved = guest ? 'booked' : 'free'
  tell(guest ? `Booked for ${guest}` : 'The room is free again')
}

async function cancel(line) {
  if (confirm(`Cancel room ${line.id.slice(5)}?`)) await save('DELETE', line, '')
}

$('booking').addEventListener('close', () => {
  document.body.dataset.closed = $('booking').returnValue || 'cancelled'
  if ($('booking').returnValue === 'save') save('PUT', chosen, $('guest').value)
})
const answer = await fetch('/api/rooms')
const { rooms } = await answer.json()
$('rooms').append(...rooms.map(row))
