const form = document.querySelector('form')

form.addEventListener('submit', async event => {
  event.preventDefault()
  form.querySelector('button').disabled = true
  const answer = await fetch('/api/sign-in', { method: 'POST', body: JSON.stringify({ name: form.querySelector('#name').value }) })
  const { next } = await answer.json()
  location.assign(next)
})
