// A curve over its own table: reads the rows that stand in the page, draws them with limits and marks, and follows
// the theme. Without JavaScript the table is the chart.
{
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const bound = (text) => (text === undefined || text === "" ? null : Number(text));

  const read = (figure) => {
    const rows = [...figure.querySelectorAll("tbody tr[data-at]")];
    return [rows.map((row) => Number(row.dataset.at)), rows.map((row) => bound(row.dataset.value))];
  };
  const lines = (figure) => [...figure.querySelectorAll("[data-limit]")].map(
    (line) => ({ at: Number(line.dataset.limit), words: line.textContent.trim() }),
  );
  const marks = (figure) => [...figure.querySelectorAll("[data-mark]")].map(
    (mark) => ({ at: Number(mark.dataset.mark), words: mark.textContent.trim() }),
  );

  const overlay = (figure) => (chart) => {
    const { ctx, bbox } = chart, ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
    ctx.lineWidth = ratio;
    ctx.textBaseline = "bottom";
    ctx.strokeStyle = ctx.fillStyle = token("--text-2");
    for (const limit of lines(figure)) {
      const y = chart.valToPos(limit.at, "y", true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.setLineDash([6 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.textAlign = "right";
      ctx.fillText(limit.words, bbox.left + bbox.width - 4 * ratio, y - 4 * ratio);
    }
    ctx.setLineDash([]);
    for (const mark of marks(figure)) {
      const x = chart.valToPos(mark.at, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const isLate = x > bbox.left + bbox.width * 0.8;
      ctx.textAlign = isLate ? "right" : "left";
      ctx.fillText(mark.words, x + (isLate ? -4 : 4) * ratio, bbox.top + 14 * ratio);
    }
    ctx.restore();
  };

  const draw = (figure) => {
    const place = figure.querySelector("[data-canvas]");
    const data = read(figure), zone = document.documentElement.dataset.zone;
    place.hidden = data[0].length < 2;
    if (place.hidden) return;
    // Drawn anew only when something changed, so that news of other things does not undo a zoom.
    const state = JSON.stringify([data, lines(figure), marks(figure), token("--accent"), place.clientWidth]);
    if (figure.drawn === state) return;
    figure.drawn = state;
    figure.chart?.destroy();
    const axis = { stroke: token("--text-2"), grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--line"), width: 1 }, font: `12px ${getComputedStyle(document.body).fontFamily}` };
    const ends = lines(figure).map((line) => line.at);
    figure.chart = new uPlot({
      width: place.clientWidth,
      height: Number(place.dataset.height),
      tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), zone),
      legend: { show: true, live: true },
      cursor: { drag: { setScale: true, x: true, y: false } },
      scales: { y: { range: (_chart, low, high) => uPlot.rangeNum(Math.min(low, ...ends), Math.max(high, ...ends), 0.1, true) } },
      axes: [{ ...axis, values: [
        [31536000, "{YYYY}", null, null, null, null, null, null, 1], [2419200, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
        [86400, "{MM}-{DD}", null, null, null, null, null, null, 1], [3600, "{HH}:{mm}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
        [60, "{HH}:{mm}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1], [1, "{HH}:{mm}:{ss}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
      ] }, { ...axis, size: 56 }],
      series: [
        { label: place.dataset.time, value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
        { label: place.dataset.label, stroke: token("--accent"), width: 1.5, spanGaps: false, points: { show: data[0].length < 60 } },
      ],
      hooks: { draw: [overlay(figure)] },
    }, data, place);
  };

  const all = () => document.querySelectorAll("figure[data-chart]").forEach(draw);
  all();
  document.addEventListener("htmx:afterSettle", all);
  new MutationObserver(all).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  let resized = null;
  addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(all, 150); });
}
