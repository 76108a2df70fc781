const TITLES = ['Spring', 'The first look', 'Water', 'Swarms', 'A new queen', 'Honey', 'Wasps', 'Feeding', 'Mites', 'Autumn', 'Winter', 'Wax']
const WORDS = 'Choose a still, warm day and take your time. Bees forgive much, but not haste; lift one frame after the other and put each back where it was.'
const chapters = document.querySelector('#chapters')
const text = document.querySelector('#text')
const filter = document.querySelector('#filter')

const slug = title => title.toLowerCase().replaceAll(' ', '-')

for (const title of TITLES) {
  const link = Object.assign(document.createElement('a'), { href: `#${slug(title)}`, textContent: title })
  chapters.append(link)
  const section = document.createElement('section')
  section.id = slug(title)
  section.innerHTML = '<h2></h2><p></p>'
  section.children[0].textContent = title
  section.children[1].textContent = WORDS
  text.append(section)
}

// The address follows the reader.
const reader = new IntersectionObserver(entries => {
  for (const { isIntersecting, target } of entries) {
    if (isIntersecting) history.replaceState(null, '', `#${target.id}`)
    chapters.querySelector(`[href="#${target.id}"]`).classList.toggle('here', isIntersecting)
  }
}, { rootMargin: '-45% 0px -45% 0px' })
for (const section of text.children) reader.observe(section)

filter.addEventListener('input', () => {
  const words = filter.value.toLowerCase()
  for (const link of chapters.children) link.hidden = !link.textContent.toLowerCase().includes(words)
  history.replaceState(null, '', `?filter=${encodeURIComponent(words)}${location.hash}`)
})
addEventListener('keydown', event => {
  if (event.target === filter || !'np'.includes(event.key)) return
  const here = TITLES.findIndex(title => `#${slug(title)}` === location.hash)
  const next = TITLES[(here + (event.key === 'n' ? 1 : TITLES.length - 1)) % TITLES.length]
  history.pushState(null, '', `#${slug(next)}`)
  document.getElementById(slug(next)).scrollIntoView()
  document.body.dataset.read = Number(document.body.dataset.read ?? 0) + 1
})
document.querySelector('#top').addEventListener('click', () => scrollTo({ top: 0, behavior: 'smooth' }))
addEventListener('scrollend', () => { if (scrollY === 0) document.body.dataset.top = 'yes' })
