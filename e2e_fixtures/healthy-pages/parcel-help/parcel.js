const STOPS = 12
const where = document.querySelector('#where')
const answer = document.querySelector('#answer')

// The server answers once the van has moved.
async function follow() {
  for (let stop = 1; stop <= STOPS; stop += 1) {
    const news = await fetch('/api/van/moved')
    const { street } = await news.json()
    document.querySelector('#road div').style.width = `${(stop / STOPS) * 100}%`
    where.textContent = `${street}, stop ${stop} of ${STOPS}`
  }
  where.dataset.arrived = 'yes'
}

async function ask(question) {
  answer.textContent = ''
  const reply = await fetch('/api/answers', { method: 'POST', body: JSON.stringify({ question }) })
  const words = reply.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let read = await words.read(); !read.done; read = await words.read()) answer.textContent += read.value
  answer.dataset.complete = 'yes'
}

document.querySelector('form').addEventListener('submit', event => {
  event.preventDefault()
  ask(document.querySelector('#question').value)
})
follow()
