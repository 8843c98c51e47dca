// What a page without scripts does without: another light, sorting, grids over time, paper.
(() => {
  "use strict";
  const page = document.documentElement;

  // Light and dark --------------------------------------------------------------------------
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const remember = theme => {
    try { localStorage.setItem("gan-advisor-theme", theme); } catch { /* then not: theme.js */ }
  };
  const shown = () => page.dataset.theme ?? (system.matches ? "dark" : "light");
  const told = () => button.setAttribute("aria-pressed", String(shown() === "dark"));
  button.hidden = false;
  button.addEventListener("click", () => {
    page.dataset.theme = shown() === "dark" ? "light" : "dark";
    remember(page.dataset.theme);
    told();
    document.dispatchEvent(new Event("theme"));
  });
  system.addEventListener("change", told);
  told();

  // Sorting ---------------------------------------------------------------------------------
  const status = document.getElementById("sorted");
  const value = (row, at, kind) => {
    const text = row.cells[at].dataset.value ?? "";
    return kind === "number" ? (text === "" ? null : Number(text)) : text;
  };
  const order = (a, b, kind) => (kind === "number" ? a - b : a.localeCompare(b));
  document.querySelectorAll("table.sortable").forEach(table => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, at) => {
      const kind = head.dataset.sort;
      if (!kind) return;
      const made = document.createElement("button");
      made.type = "button";
      made.append(...head.childNodes);
      head.append(made);
      made.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(each => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows].sort((a, b) => {
          const [x, y] = [value(a, at, kind), value(b, at, kind)];
          if (x === null || y === null) return (x === null) - (y === null); // what is missing: last
          return down ? order(y, x, kind) : order(x, y, kind);
        });
        table.tBodies[0].append(...rows);
        status.textContent = `Sorted by ${made.firstChild.textContent.trim()}, ${down ? "descending" : "ascending"}`;
      });
    });
  });

  // Grids over time -------------------------------------------------------------------------
  const source = document.getElementById("films-data");
  const slider = document.getElementById("looked");
  const go = {to: () => {}};
  if (source && slider) {
    const {stops, arms} = JSON.parse(source.textContent);
    const at = document.getElementById("looked-at");
    const ends = {};
    document.querySelectorAll("[data-said]").forEach(each => {
      ends[each.dataset.said] = each.textContent;
    });
    go.to = index => {
      slider.value = index;
      slider.setAttribute("aria-valuetext", `${stops[index].says} images`);
      at.textContent = stops[index].says;
      document.querySelectorAll("[data-film]").forEach(picture => {
        const arm = picture.dataset.film;
        const seen = arms[arm].filter(frame => frame.seen <= stops[index].seen);
        const frame = seen.at(-1);
        const said = document.querySelector(`[data-said="${CSS.escape(arm)}"]`);
        picture.classList.toggle("none", !frame);
        if (frame) picture.src = frame.src;
        const last = index === stops.length - 1;
        said.textContent = last ? ends[arm] : frame ? frame.says : "no grid yet";
      });
    };
    slider.closest(".slider").hidden = false;
    slider.addEventListener("input", () => go.to(Number(slider.value)));
    go.to(stops.length - 1);
  }

  // A candidate that is linked to: what is behind it is wanted.
  const unfold = () => {
    const target = document.getElementById(location.hash.slice(1));
    target?.querySelectorAll("details").forEach(each => { each.open = true; });
  };
  addEventListener("hashchange", unfold);
  unfold();

  // Paper -----------------------------------------------------------------------------------
  let before = null;
  addEventListener("beforeprint", () => {
    const closed = [...document.querySelectorAll("details:not([open])")];
    before = {closed, at: slider && Number(slider.value)};
    closed.forEach(each => { each.open = true; });
    if (slider) go.to(Number(slider.max));
  });
  addEventListener("afterprint", () => {
    before?.closed.forEach(each => { each.open = false; });
    if (slider && before) go.to(before.at);
    before = null;
  });
})();
