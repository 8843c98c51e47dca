// Draws the charts, with what the page knows of light and dark, and lets people choose.
(() => {
  "use strict";
  const source = document.getElementById("charts-data");
  if (!source || typeof vega === "undefined") return;
  const {arms, datasets, charts} = JSON.parse(source.textContent);

  // Told apart by people of every kind of colour vision, 3 : 1 against the page and more.
  const LIGHT = ["#0062a8", "#c2500b", "#00795f", "#a8397f", "#7a5c00", "#5a4fcf", "#2b7f99"];
  const DARK = ["#6cb6ff", "#ff9d57", "#3fd1a8", "#f08fc8", "#e3c84d", "#b3a7ff", "#7fdcf5"];
  const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const colours = () => {
    const own = dark() ? DARK : LIGHT;
    let next = 0;
    return arms.map(each => (each.control ? style("--quiet") : own[next++ % own.length]));
  };

  const config = width => {
    const [text, quiet, line] = ["--text", "--quiet", "--line"].map(style);
    return {
      background: "transparent",
      font: 'system-ui, "Segoe UI", Roboto, Arial, sans-serif',
      view: {stroke: null},
      range: {category: colours()},
      axis: {labelColor: quiet, titleColor: quiet, gridColor: line, domainColor: line,
             tickColor: line, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
             labelOverlap: "greedy", labelLimit: Math.max(120, width / 4)},
      rule: {color: quiet},
      text: {color: quiet},
    };
  };

  // What the pointer is at, as text and never as markup.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  const tooltip = (handler, event, item, value) => {
    tip.hidden = !value;
    if (!value) return;
    const lines = Array.isArray(value) ? value : String(value).split("\n");
    tip.replaceChildren(...lines.map((line, at) => {
      const made = document.createElement(at ? "div" : "strong");
      made.textContent = line;
      return made;
    }));
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, room))}px`;
    tip.style.top = `${Math.max(8, event.clientY - tip.offsetHeight - 12)}px`;
  };

  const views = {};
  const hidden = new Set();
  const draw = (place, name) => {
    views[place]?.finalize();
    const frame = document.getElementById(place);
    if (!frame || !charts[name]) return;
    const lite = {...structuredClone(charts[name]), datasets, config: config(frame.clientWidth)};
    const {spec} = vegaLite.compile(lite);
    // Expressions are walked through and not compiled: the page forbids eval.
    views[place] = new vega.View(vega.parse(spec, null, {ast: true}), {
      expr: vegaInterpreter.expressionInterpreter,
      renderer: "svg",
      container: frame,
      hover: true,
      tooltip,
      loader: {load: () => Promise.reject(), sanitize: () => Promise.reject()},
    });
    if (place === "curves-chart") views[place].signal("hidden", [...hidden]);
    views[place].run();
    // The frame around it has the words, and a table has the numbers.
    frame.querySelector("svg").setAttribute("aria-hidden", "true");
  };

  const over = () => document.querySelector('input[name="over"]:checked')?.value ?? "images";
  const all = () => {
    draw("curves-chart", over());
    draw("intervals-chart", "intervals");
    const own = colours();
    document.querySelectorAll("[data-arm]").forEach(button => {
      const at = arms.findIndex(each => each.arm === button.dataset.arm);
      button.style.setProperty("--own", own[at]);
    });
  };

  document.querySelectorAll(".interactive").forEach(each => { each.hidden = false; });
  document.querySelectorAll("details.drawings").forEach(each => { each.open = false; });
  document.querySelectorAll('input[name="over"]').forEach(each =>
    each.addEventListener("change", () => draw("curves-chart", over())));
  document.querySelectorAll("[data-arm]").forEach(button =>
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", String(on));
      hidden[on ? "delete" : "add"](button.dataset.arm);
      views["curves-chart"].signal("hidden", [...hidden]).run();
    }));
  system.addEventListener("change", all);
  document.addEventListener("theme", all);
  all();
})();
