// Tells that the session is over.
console.error("You are not logged in any more");
