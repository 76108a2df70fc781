// Makes a query of a trip.
export function queryOf(trip) {
  return new URLSearchParams(trip).toString();
}
