// Why an element that can be seen can't be used: disabled, out of reach, or covered, and by what.
(fc) => {
  const pinnedOf = (element) => {
    let pinned = null;
    for (let up = element; up; up = up.parentElement) if (/fixed|sticky/.test(getComputedStyle(up).position)) pinned = up;
    return pinned;
  };
  // A header that stays while the page scrolls covers what is below it only until somebody scrolls.
  const canBeScrolledFree = (element, box, hit) => {
    const bar = pinnedOf(hit);
    if (!bar || pinnedOf(element)) return false;
    const { top, bottom } = bar.getBoundingClientRect(), y = box.top + box.height / 2;
    const root = document.scrollingElement || document.documentElement, left = root.scrollHeight - innerHeight - root.scrollTop;
    return Math.max(0, y - left) < top - 1 || Math.min(innerHeight, y + root.scrollTop) > bottom + 1;
  };
  const overlayOf = (element, box, x, y) => {
    const hit = document.elementFromPoint(x, y);
    if (!hit || hit === element || element.contains(hit) || hit.contains(element)) return null;
    const label = hit.closest("label");
    if (label && label.control === element) return null;
    return canBeScrolledFree(element, box, hit) ? null : hit;
  };
  const isOutOfReach = (element, box) => {
    const root = document.scrollingElement || document.documentElement, pinned = pinnedOf(element);
    if (pinned && getComputedStyle(pinned).position === "fixed") return true;
    for (let up = element.parentElement; up && up !== root && up !== document.body; up = up.parentElement) {
      if (up.scrollHeight > up.clientHeight || up.scrollWidth > up.clientWidth) if (getComputedStyle(up).overflow !== "visible") return false;
    }
    const leftwards = getComputedStyle(root).direction === "rtl";
    return box.bottom + root.scrollTop <= 0 || (!leftwards && box.right + root.scrollLeft <= 0);
  };
  fc.blockOf = (element) => {
    if (element.matches(":disabled") || element.closest("[aria-disabled=true]")) return { reason: "disabled" };
    const box = element.getClientRects()[0];
    const x = box.left + box.width / 2, y = box.top + box.height / 2;
    if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) return isOutOfReach(element, box) ? { reason: "outside" } : null;
    const overlay = overlayOf(element, box, x, y);
    return overlay ? { reason: "covered", overlay: fc.selector(pinnedOf(overlay) || overlay) } : null;
  };
}
