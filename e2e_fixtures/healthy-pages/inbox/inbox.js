const view = document.querySelector('#view')
const status = document.querySelector('#status')
const search = document.querySelector('#search')
const starred = new Set()
let leaving = new AbortController()
let searching
let pause

const ask = async (path, options) => {
  const answer = await fetch(path, options)
  return answer.json()
}

async function start() {
  const [session, unread, quota] = await Promise.all([
    ask('/api/session'),
    ask('/api/unread'),
    ask('/api/quota'),
    ask('/api/labels'),
    ask('/api/contacts'),
    ask('/api/settings'),
    ask('/api/signature'),
    ask('/api/holidays'),
  ])
  document.querySelector('#account').textContent = session.name
  document.querySelector('#quota').textContent = `${quota.used_mb} of ${quota.mb} MB used`
  for (const [folder, count] of Object.entries(unread)) document.querySelector(`#go-${folder} b`).textContent = count
}

function row(mail) {
  const item = document.createElement('li')
  item.id = `mail-${mail.id}`
  item.innerHTML = '<button type="button" aria-label="Star" aria-pressed="false">★</button><b></b><span></span>'
  item.children[0].setAttribute('aria-pressed', starred.has(mail.id))
  item.children[1].textContent = mail.from
  item.children[2].textContent = mail.subject
  item.children[0].addEventListener('click', event => star(event, mail.id))
  item.addEventListener('click', () => go(`/mail/${mail.id}`))
  return item
}

async function star(event, id) {
  event.stopPropagation()
  const button = event.currentTarget
  starred.add(id)
  button.setAttribute('aria-pressed', 'true')
  await ask(`/api/mails/${id}/star`, { method: 'PUT' })
  status.textContent = 'Saved'
}

async function showList(path, signal) {
  const { mails } = await ask(path, { signal })
  const list = document.createElement('ul')
  list.append(...mails.map(row))
  view.replaceChildren(list)
  status.textContent = `${mails.length} conversations`
}

async function showMail(id, signal) {
  const [mail, files, thread] = await Promise.all([
    ask(`/api/mails/${id}`, { signal }),
    ask(`/api/mails/${id}/attachments`, { signal }),
    ask(`/api/mails/${id}/thread`, { signal }),
  ])
  const article = document.createElement('article')
  article.innerHTML = '<h1></h1><p></p><div class="attachments"></div>'
  article.children[0].textContent = mail.subject
  article.children[1].textContent = mail.text
  article.children[2].append(...files.names.map(name => Object.assign(document.createElement('span'), { textContent: name })))
  view.replaceChildren(article)
  status.textContent = `${thread.replies} replies`
}

async function show() {
  leaving.abort()
  leaving = new AbortController()
  const { signal } = leaving
  const [, name, id] = location.pathname.split('/')
  for (const link of document.querySelectorAll('nav a')) link.toggleAttribute('aria-current', link.id === `go-${name || 'inbox'}`)
  try {
    await (name === 'mail' ? showMail(id, signal) : showList(`/api/folders/${name || 'inbox'}`, signal))
  } catch (error) {
    if (error.name !== 'AbortError') throw error
  }
}

function go(path) {
  history.pushState(null, '', path)
  show()
}

async function find(words) {
  searching?.abort()
  searching = new AbortController()
  status.textContent = 'Searching…'
  try {
    await showList(`/api/search?q=${encodeURIComponent(words)}`, searching.signal)
    document.body.dataset.found = words
  } catch (error) {
    if (error.name !== 'AbortError') throw error
  }
}

search.addEventListener('input', () => {
  clearTimeout(pause)
  pause = setTimeout(find, 60, search.value)
})
document.querySelector('#folders').addEventListener('click', event => {
  event.preventDefault()
  go(event.target.closest('a').pathname)
})
addEventListener('popstate', show)
start()
show()
