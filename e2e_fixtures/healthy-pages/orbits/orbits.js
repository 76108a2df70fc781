const sky = document.querySelector('#sky')
const pause = document.querySelector('#pause')
const shown = document.querySelector('#frames')
const pen = sky.getContext('2d')
const planets = Array.from({ length: 60 }, (_, i) => ({ far: 30 + i * 2.6, turn: i * 0.7, size: 1 + (i % 4), hue: i * 6 }))
let frames = 0
let moving = true

function draw(now) {
  if (!moving) return
  pen.fillStyle = '#0d132655'
  pen.fillRect(0, 0, sky.width, sky.height)
  for (const { far, turn, size, hue } of planets) {
    const angle = turn + now / (far * 12)
    pen.fillStyle = `hsl(${hue} 70% 65%)`
    pen.beginPath()
    pen.arc(320 + Math.cos(angle) * far * 1.5, 200 + Math.sin(angle) * far, size, 0, 7)
    pen.fill()
  }
  frames += 1
  if (frames % 60 === 0) shown.textContent = `${frames} frames`
  if (frames === 180) document.body.dataset.drawn = 'enough'
  requestAnimationFrame(draw)
}

sky.addEventListener('click', event => {
  planets.push({ far: 20 + Math.hypot(event.offsetX - 320, event.offsetY - 200) / 1.5, turn: frames / 60, size: 7, hue: 40 })
})
pause.addEventListener('click', () => {
  moving = !moving
  pause.textContent = moving ? 'Pause' : 'Go on'
  if (moving) requestAnimationFrame(draw)
})
requestAnimationFrame(draw)
