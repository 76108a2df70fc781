const LINES = ['Morning all', 'The 9:40 ferry is late', 'How late?', 'Twenty minutes', 'I will tell the school group', 'Thanks!']
const talk = document.querySelector('#talk')
const words = document.querySelector('#words')
const state = document.querySelector('#state')

function say(text, who) {
  const line = document.createElement('li')
  line.className = who
  line.textContent = text
  talk.append(line)
  line.scrollIntoView({ block: 'end' })
  return line
}

function join(path) {
  const socket = new WebSocket(`ws://${location.host}${path}`)
  socket.addEventListener('open', () => {
    state.textContent = 'online'
    state.className = 'online'
    state.dataset.path = path
  })
  socket.addEventListener('message', event => {
    const { n } = JSON.parse(event.data)
    say(LINES[n % LINES.length], 'theirs')
  })
  socket.addEventListener('close', event => {
    if (event.code !== 1001) return
    state.textContent = 'moving to another server'
    state.className = ''
    setTimeout(join, 400, '/live/again')
  })
}

document.querySelector('form').addEventListener('submit', async event => {
  event.preventDefault()
  const line = say(words.value, 'mine')
  const sent = words.value
  words.value = ''
  await fetch('/api/messages', { method: 'POST', body: JSON.stringify({ text: sent }) }).then(answer => answer.json())
  line.dataset.sent = 'yes'
})
join('/live')
