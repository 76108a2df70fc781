const STEPS = ['bulbs', 'address', 'check', 'done']
const $ = id => document.getElementById(id)
let bags = 1
let step = 0

function show(number) {
  step = number
  STEPS.forEach((name, i) => {
    $(name).hidden = i !== step
    document.querySelector(`ol li:nth-child(${i + 1})`).classList.toggle('now', i === step)
  })
  $('summary').textContent = `${bags} bags of tulips for ${$('name').value}, ${$('postcode').value} ${$('town').value}`
  document.body.dataset.step = STEPS[step]
}

function advance() {
  history.pushState(step + 1, '', `?step=${STEPS[step + 1]}`)
  show(step + 1)
}

function complain(input, message) {
  input.classList.toggle('wrong', Boolean(message))
  input.nextElementSibling.textContent = message
  return !message
}

const nameIsFine = () => complain($('name'), $('name').value.trim().length < 3 ? 'Please tell us your name.' : '')
const postcodeIsFine = () => complain($('postcode'), /^\d{4} ?[A-Z]{2}$/.test($('postcode').value) ? '' : 'A postcode looks like 1012 AB.')

async function findTown() {
  if (!postcodeIsFine()) return
  const answer = await fetch(`/api/towns?postcode=${encodeURIComponent($('postcode').value)}`)
  $('town').value = (await answer.json()).town
  $('town').dataset.found = 'yes'
}

async function order() {
  $('next').disabled = true
  const answer = await fetch('/api/orders', { method: 'POST', body: JSON.stringify({ bags, name: $('name').value }) })
  $('number').textContent = (await answer.json()).number
  $('next').disabled = false
  advance()
}

function change(by) {
  bags = Math.max(1, bags + by)
  $('bags').value = bags
}

document.querySelector('form').addEventListener('submit', event => {
  event.preventDefault()
  if (step === 0) advance()
  else if (step === 1 && [nameIsFine(), postcodeIsFine()].every(Boolean)) advance()
  else if (step === 2) order()
})
$('add').addEventListener('click', () => change(1))
$('fewer').addEventListener('click', () => change(-1))
$('back').addEventListener('click', () => history.back())
$('name').addEventListener('blur', nameIsFine)
$('postcode').addEventListener('input', () => { if ($('postcode').value.length === 7) findTown() })
addEventListener('popstate', event => show(event.state ?? 0))
show(0)
