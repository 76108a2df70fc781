// Works by itself until it is told something that it can't read.
let round = 0;

const rounds = setInterval(() => {
  round += 1;
  if (round === 12) {
    clearInterval(rounds);
    console.error("Solver ran out of moves");
  }
}, 50);
