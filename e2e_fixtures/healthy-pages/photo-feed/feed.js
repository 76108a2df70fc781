const PAGES = 5
const feed = document.querySelector('#feed')
const end = document.querySelector('#end')
let page = 0
let loading = false

function card({ place, by }, number) {
  const figure = document.createElement('figure')
  figure.id = `card-${number}`
  const image = new Image(300, 200)
  image.loading = 'lazy'
  image.alt = place
  image.addEventListener('load', () => { figure.dataset.seen = 'yes' })
  image.src = `/photos/${number}.svg`
  const caption = document.createElement('figcaption')
  caption.textContent = `${place}, by ${by}`
  figure.append(image, caption)
  return figure
}

async function more() {
  if (loading || page === PAGES) return
  loading = true
  const answer = await fetch(`/api/postcards?page=${page}`)
  const { cards } = await answer.json()
  feed.append(...cards.map((one, i) => card(one, page * cards.length + i)))
  page += 1
  loading = false
  document.querySelector('#count').textContent = `${feed.children.length} of ${PAGES * cards.length}`
  if (page === PAGES) end.textContent = 'That is all for today.'
  feed.dataset.pages = page
}

new IntersectionObserver(([entry]) => { if (entry.isIntersecting) more() }, { rootMargin: '200px' }).observe(end)
