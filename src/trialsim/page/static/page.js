// The glue between the page's own controls and the server: an edit goes out as a path and a value, a picture comes in as
// numbers. Nothing is worked out here, and every text is set as text.
(() => {
  "use strict";
  const MAX_BYTES = 100000;
  const all = (what, root = document) => [...root.querySelectorAll(what)];
  const make = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    return made;
  };

  // -- edits: one under way at a time; of those that wait, the latest of each control

  const waiting = new Map();
  let underWay = false, number = 0;
  const send = () => {
    if (underWay || !waiting.size) return;
    const [path, move] = waiting.entries().next().value;
    waiting.delete(path);
    underWay = true;
    Shiny.setInputValue("edit", {path, ...move, number: ++number}, {priority: "event"});
  };
  const edit = (path, value, how = "set") => {
    waiting.delete(path);
    waiting.set(path, {value, how});
    send();
  };
  const open = what => {
    waiting.clear();
    Shiny.setInputValue("open", {...what, number: ++number}, {priority: "event"});
  };
  const valueOf = control => control.type === "checkbox" ? control.checked : control.value;
  const pair = control => all(`[data-path="${CSS.escape(control.dataset.path)}"]`)
    .filter(other => other !== control && other.type !== "checkbox")
    .forEach(other => { other.value = control.value; });

  document.addEventListener("input", event => {
    const control = event.target;
    if (!control.dataset.path || control.type !== "range") return;
    pair(control);
    edit(control.dataset.path, control.value);
  });
  document.addEventListener("change", event => {
    const control = event.target;
    if (control.dataset.open === "example" && control.value) open({kind: "example", name: control.value});
    else if (control.dataset.set) {
      all(`[data-set="${CSS.escape(control.dataset.set)}"]`).forEach(other => { other.value = control.value; });
      Shiny.setInputValue(control.dataset.set, control.value);
    } else if (["file", "patients"].includes(control.dataset.open) && control.files.length) upload(control);
    else if (control.dataset.path && control.type !== "range") {
      if (control.type !== "checkbox") pair(control);
      edit(control.dataset.path, valueOf(control));
    } else if (control.dataset.switch) edit(control.dataset.switch, control.value, "switch");
  });
  const upload = async control => {
    const [file] = control.files, patients = control.dataset.open === "patients";
    control.value = "";
    if (file.size > MAX_BYTES) return say(`${file.name} is longer than ${MAX_BYTES / 1000} kB, more than the page reads.`);
    try {
      const text = new TextDecoder("utf-8", {fatal: true}).decode(await file.arrayBuffer());
      const read = {name: file.name.slice(0, 200), text};
      if (patients) Shiny.setInputValue("patients", {...read, number: ++number}, {priority: "event"});
      else open({kind: "file", ...read});
    } catch {
      say(`${file.name} is no text in UTF-8: save the file as UTF-8.`);
    }
  };
  const say = text => Shiny.notifications.show({html: make("span", text).outerHTML, type: "error", closeButton: true});

  let moved; // the path of what was added or left out last
  document.addEventListener("click", async event => {
    const button = event.target.closest("[data-act], [data-add], [data-remove]");
    if (!button) return;
    const {add, remove} = button.dataset;
    if (add) {
      const name = button.dataset.ask ? prompt(button.dataset.ask) : "";
      if (name === null) return;
      moved = name ? `${add}.${name}` : add;
      return edit(add, name, "add");
    }
    if (remove) {
      moved = remove;
      return edit(remove, "", "remove");
    }
    const {act, from, name} = button.dataset, figure = button.closest("figure");
    if (act === "apply") open({kind: "text", text: document.getElementById(from).value});
    else if (act === "copy") {
      await navigator.clipboard.writeText(document.getElementById(from)?.textContent ?? location.href);
      button.dataset.done = "copied";
    } else if (act === "svg" || act === "png")
      Plotly.downloadImage(figure.querySelector(".drawn"), {format: act, filename: name, width: 900, height: 520, scale: 2});
    else if (act === "csv") save(`${name}.csv`, figure.csv, "text/csv");
    else Shiny.setInputValue("act", {...button.dataset, chosen: chosen(button.dataset.with), number: ++number}, {priority: "event"});
  });
  // what stands in a control or, by name, in those of a form
  const chosen = id => {
    const place = document.getElementById(id);
    return place?.elements ? Object.fromEntries([...place.elements].filter(each => each.name).map(each => [each.name, valueOf(each)])) : place?.value;
  };
  // within the page without a word in the address, which holds the scenario
  document.addEventListener("click", event => {
    const link = event.target.closest("a.jump"), place = link && document.querySelector(link.getAttribute("href"));
    if (!place) return;
    event.preventDefault();
    place.tabIndex = -1;
    place.focus();
    place.scrollIntoView();
  });
  document.addEventListener("submit", event => event.preventDefault());
  const save = (name, text, type) => {
    const address = URL.createObjectURL(new Blob([text], {type}));
    make("a", "", {href: address, download: name}).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  };

  // -- pictures

  const table = (columns, rows) => {
    const made = make("table"), head = make("tr"), body = make("tbody");
    columns.forEach(each => head.append(make("th", each, {scope: "col"})));
    rows.forEach(row => {
      const line = make("tr");
      row.forEach((cell, k) => line.append(k ? make("td", cell) : make("th", cell, {scope: "row"})));
      body.append(line);
    });
    const top = make("thead");
    top.append(head);
    made.append(top, body);
    return made;
  };
  const prepared = (figure, title, name) => {
    const drawn = make("div", undefined, {class: "drawn", role: "img"});
    const caption = make("figcaption"), numbers = make("details"), files = make("p", undefined, {class: "files"});
    numbers.append(make("summary", "The numbers as a table"), make("div", undefined, {class: "scroll", tabindex: "0"}));
    ["svg", "png", "csv"].forEach(kind => files.append(make("button", kind.toUpperCase(),
      {type: "button", "data-act": kind, "data-name": name, "aria-label": `Download “${title}” as ${kind.toUpperCase()}`})));
    figure.replaceChildren(make("h3", title), drawn, caption, files, numbers);
  };
  const draw = (figure, data) => {
    if (!data) return figure.replaceChildren();
    // what is worked out anew leaves its room, so that nothing on the page jumps
    if (!data.waiting) figure.style.minHeight = "";
    else if (figure.querySelector(".drawn")) figure.style.minHeight = `${figure.offsetHeight}px`;
    if (data.note) return figure.replaceChildren(make("p", data.note, {class: "note", role: "status"}));
    if (figure.dataset.name !== data.name || !figure.querySelector(".drawn")) {
      figure.dataset.name = data.name;
      prepared(figure, data.title, data.name);
    }
    const drawn = figure.querySelector(".drawn");
    figure.querySelector("h3").textContent = data.title;
    figure.querySelector("figcaption").textContent = data.caption;
    figure.querySelector(".scroll").replaceChildren(table(data.columns, data.rows));
    figure.querySelector(".scroll").setAttribute("aria-label", data.title);
    figure.csv = data.csv;
    drawn.setAttribute("aria-label", data.alt);
    Plotly.react(drawn, data.figure.data, data.figure.layout, {displayModeBar: false, responsive: true});
    if (!drawn.heard) {
      drawn.heard = true;
      drawn.on("plotly_click", ({points: [point]}) => {
        if (typeof point.customdata === "string")
          Shiny.setInputValue("picked", {picture: figure.dataset.name, what: point.customdata, number: ++number}, {priority: "event"});
      });
    }
  };
  class PictureBinding extends Shiny.OutputBinding {
    find(scope) { return $(scope).find("figure.picture"); }
    renderValue(figure, data) { draw(figure, data); }
    renderError(figure, error) { figure.replaceChildren(make("p", error.message, {class: "fault"})); }
    clearError() {}
  }
  Shiny.outputBindings.register(new PictureBinding(), "trialsim.picture");

  // on paper nothing can be unfolded
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = all("#answers details:not([open])");
    folded.forEach(part => { part.open = true; });
  });
  window.addEventListener("afterprint", () => folded.forEach(part => { part.open = false; }));

  // -- what the server says

  Shiny.addCustomMessageHandler("edited", _ => {
    underWay = false;
    send();
  });
  Shiny.addCustomMessageHandler("address", ({address}) => history.replaceState(null, "", address));
  Shiny.addCustomMessageHandler("choices", ({of, names, first}) => {
    all(`[data-set="${CSS.escape(of)}"]`).forEach(select => {
      const before = select.value;
      select.replaceChildren(...names.map(name => make("option", name, {value: name})));
      select.value = names.includes(before) ? before : first;
    });
  });
  let faults = [];
  const mark = () => {
    all("[data-path]").forEach(control => control.removeAttribute("aria-invalid"));
    all(".control .fault, .offer .fault, fieldset > .fault, .group > .fault").forEach(place => { place.textContent = ""; });
    faults.forEach(({ids, key, message}) => {
      all(`[data-path="${CSS.escape(key)}"]`).forEach(control => control.setAttribute("aria-invalid", "true"));
      const place = ids.map(id => document.getElementById(id)).find(Boolean);
      if (place) place.textContent = message;
    });
  };
  Shiny.addCustomMessageHandler("faults", told => {
    ({faults} = told);
    mark();
  });
  // a group of the form that is drawn anew stays as it was unfolded
  const unfolded = new Map();
  document.addEventListener("toggle", ({target}) => {
    if (target.id) unfolded.set(target.id, target.open);
    tell(target);
  }, true);
  // what is folded is not sent
  const tell = part => { if (part.dataset.told) Shiny.setInputValue?.(part.dataset.told, part.open); };
  $(document).on("shiny:sessioninitialized", () => all("details[data-told]").forEach(tell));
  $(document).on("shiny:value", ({name}) => {
    if (name.startsWith("form_")) setTimeout(() => {
      mark();
      unfolded.forEach((open, id) => {
        const part = document.getElementById(id);
        if (part && part.open !== open) part.open = open;
      });
      arrive(document.getElementById(name));
    });
  });
  // what is added has the focus, or what offers again what was left out: the button that was pressed is gone
  const arrive = group => {
    if (moved === undefined || document.activeElement !== document.body) return;
    const at = CSS.escape(moved);
    const inside = ["path", "switch"].flatMap(kind => [`="${at}"`, `^="${at}."`, `^="${at}["`].map(is => `[data-${kind}${is}]:not([type=range])`));
    const places = [inside.join(), `[data-add="${at}"]`, "summary"].map(what => group.querySelector(what));
    places.find(place => place?.checkVisibility())?.focus();
    moved = undefined;
  };
  $(document).on("shiny:disconnected", () => {
    underWay = false;
    document.body.classList.add("lost");
  });
})();
