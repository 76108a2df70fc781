const QUIET_MS = 7500
const chosen = JSON.parse(localStorage.getItem('preferences') ?? '{}')
let quiet

function keep(event) {
  const { id, type, checked, value } = event.target
  chosen[id] = type === 'checkbox' || type === 'radio' ? checked : value
  localStorage.setItem('preferences', JSON.stringify(chosen))
  clearTimeout(quiet)
  quiet = setTimeout(() => { document.querySelector('#saved').textContent = 'Everything is kept on this device.' }, QUIET_MS)
  document.cookie = `theme=${chosen.dark ? 'dark' : 'light'}; SameSite=Lax`
}

document.querySelector('main').addEventListener('input', keep)
document.querySelector('#copy').addEventListener('click', () => {
  navigator.clipboard?.writeText(location.href).catch(() => {})
})
