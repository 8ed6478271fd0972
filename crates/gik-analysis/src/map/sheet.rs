//! A sheet of probabilities: a row for each window, a column for each threshold.

use std::io::Write;
use std::path::Path;

use gik_core::{Error, Result};

use super::canvas::{Anchor, Canvas, Pen, Type};
use super::colour::Rgb;
use super::colour_bar::{ColourBar, Side};
use super::contour::contour;
use super::font::{Font, Weight};
use super::frame::Frame;
use super::grid::Grid;
use super::header::{Header, SEPARATOR};
use super::palette::Scale;
use super::panel::{Ground, LEAST_LABEL_SPACE, edge_labels};
use super::raster::Raster;
use super::style::Style;
use super::{ATTRIBUTION, MARGIN, Shading, narrow, whole};
use crate::accumulation::Period;
use crate::exceedance::{Exceedance, Plane, Summary};
use crate::write::write_atomically;
use crate::{BoundingBox, Field, Zone};

/// More rows than these are no sheet that anyone reads.
const MOST_ROWS: usize = 16;

/// Panels are as large as this allows, in pixels. Those of the globe are wide.
const PANEL: (u32, u32) = (560, 290);
/// The widest that all panels of a row may be together.
const ROW: u32 = 3000;
/// The least height of a row: room for what is written beside it.
const LEAST_ROW: u32 = 110;

const GAP: u32 = 14;

const TITLE: Type = Type { weight: Weight::SemiBold, size: 36.0, colour: Rgb::INK };
const SUBTITLE: Type = Type { weight: Weight::Regular, size: 22.0, colour: Rgb::PALE_INK };
const COLUMN: Type = Type { weight: Weight::SemiBold, size: 24.0, colour: Rgb::INK };
const ROW_TITLE: Type = Type { weight: Weight::SemiBold, size: 21.0, colour: Rgb::INK };
const ROW_TEXT: Type = Type { weight: Weight::Regular, size: 17.0, colour: Rgb::PALE_INK };
const LABEL: Type = Type { weight: Weight::Regular, size: 13.0, colour: Rgb::PALE_INK };
const NOTE: Type = Type { weight: Weight::Regular, size: 15.0, colour: Rgb::PALE_INK };

/// The line of even odds.
const EVEN: f64 = 50.0;
const EVEN_PEN: Pen = Pen { colour: Rgb(20, 20, 60), alpha: 255, width: 1.9, dash: None };

/// The room for what the line means, beside the colour bar.
const LEGEND: f32 = 270.0;

/// The height of the colour bar with its labels, and of what stands at the foot.
const FOOT: f32 = 100.0;

/// A sheet that is being drawn. The panels come as they are computed; title, labels and
/// colour bar when all are there.
pub struct ProbabilitySheet {
    canvas: Canvas,
    font: Font,
    style: Style,
    scale: Scale,
    frame: Frame,
    /// From one panel to the next, across and down.
    pitch: (u32, u32),
    ground: Ground,
    region: Option<BoundingBox>,
    template: Field,
    /// Where the first panel is.
    left: u32,
    top: u32,
    columns: usize,
    rows: usize,
    windows: usize,
    missing: bool,
    texts: Texts,
}

impl std::fmt::Debug for ProbabilitySheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProbabilitySheet").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// What is written on it.
#[derive(Debug)]
struct Texts {
    title: String,
    subtitle: String,
    columns: Vec<String>,
    /// For each row a title and two lines.
    rows: Vec<[String; 3]>,
    members: usize,
}

impl ProbabilitySheet {
    /// The sheet of a job, its times in `zone`.
    ///
    /// # Errors
    /// When the variable is not on a grid of latitude and longitude, or there are more
    /// thresholds than a sheet has columns.
    pub fn new(job: &Exceedance, region: Option<BoundingBox>, zone: Zone) -> Result<Self> {
        let (columns, windows) = (job.thresholds().len(), job.totals().windows().len());
        if columns > 12 {
            return Err(Error::argument("thresholds", "more than 12 do not fit on a picture"));
        }
        let rows = windows.min(MOST_ROWS);
        let template = template(job)?;
        let grid = Grid::new(&template, region)?;
        let count = u32::try_from(columns).unwrap_or(1).max(1);
        let width = ((ROW - (count - 1) * GAP) / count).min(PANEL.0);
        let frame = Frame::fit(grid.extent, width.max(120), PANEL.1);
        let font = Font::new()?;
        let texts = Texts::new(job, rows, zone);
        let widest = texts.columns.iter().map(|it| font.width(it, COLUMN.weight, COLUMN.size));
        let pitch = (
            frame.width.max(whole(widest.fold(0.0, f32::max))) + GAP,
            frame.height.max(LEAST_ROW) + GAP,
        );
        let row_width = texts.rows.iter().map(|[title, a, b]| {
            let text = |it: &str, look: Type| font.width(it, look.weight, look.size);
            text(title, ROW_TITLE).max(text(a, ROW_TEXT)).max(text(b, ROW_TEXT))
        });
        let labels = LEAST_LABEL_SPACE;
        let left = whole(MARGIN + row_width.fold(0.0, f32::max) + 22.0 + labels);
        let page_width = (left + count * pitch.0 - GAP + whole(MARGIN)).max(900);
        let header = texts.header(&font, narrow(page_width.into()) - 2.0 * MARGIN);
        let top = whole(MARGIN + header.height() + COLUMN.size * 1.9);
        let row_count = u32::try_from(rows).unwrap_or(1);
        let page_height = top + row_count * pitch.1 - GAP + whole(LABEL.size * 2.0 + FOOT);
        let style = Style::probability();
        let scale = style.palette.scale(None);
        Ok(Self {
            canvas: Canvas::new(page_width, page_height, Rgb::WHITE)?,
            ground: Ground::new(&frame),
            font,
            style,
            scale,
            frame,
            pitch,
            region,
            template,
            left,
            top,
            columns,
            rows,
            windows,
            missing: false,
            texts,
        })
    }

    /// The windows that are drawn, the first of all.
    #[must_use]
    pub const fn windows_drawn(&self) -> usize {
        self.rows
    }

    /// The memory that it takes: the page, once more when it becomes a file, and a panel.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let page = self.canvas.width() as usize * self.canvas.height() as usize * 4;
        let panel = self.frame.width as usize * self.frame.height as usize * 4;
        2 * page + 2 * panel + 2 * self.template.values().len() * size_of::<f32>()
    }

    /// Draws one panel.
    ///
    /// # Errors
    /// When the plane is not of the job's region.
    pub fn draw(&mut self, plane: &Plane<'_>) -> Result<()> {
        if plane.window >= self.rows {
            return Ok(());
        }
        let field = self.template.with_values(plane.values.to_vec())?;
        let grid = Grid::new(&field, self.region)?;
        let raster = Raster {
            grid: &grid,
            style: &self.style,
            scale: &self.scale,
            shading: Shading::Smooth,
        };
        let mut inside = Canvas::new(self.frame.width, self.frame.height, Rgb::WHITE)?;
        self.missing |= raster.draw(&mut inside, &self.frame);
        self.ground.draw(&mut inside);
        let pen = Pen { width: EVEN_PEN.width * self.ground.zoom, ..EVEN_PEN };
        inside.lines(&contour(&grid, &self.frame, EVEN), pen);
        let (x, y) = self.corner(plane.window, plane.threshold);
        self.canvas.place(&inside, x, y);
        let (width, height) = (self.frame.width, self.frame.height);
        let [l, t, w, h] = [x, y, width, height].map(|it| narrow(it.into()));
        let corners = [(l, t), (l + w, t), (l + w, t + h), (l, t + h)];
        self.canvas.outline(
            &corners.map(|(x, y)| (x.round() + 0.5, y.round() + 0.5)),
            Pen::solid(Rgb::INK, 1.0),
        );
        let (bottom, first) = (plane.window + 1 == self.rows, plane.threshold == 0);
        edge_labels(&mut self.canvas, &self.font, &self.frame, (l, t), (first, bottom), LABEL);
        Ok(())
    }

    /// The upper left corner of a panel.
    fn corner(&self, row: usize, column: usize) -> (u32, u32) {
        let place = |origin: u32, position: usize, pitch: u32| {
            origin + u32::try_from(position).unwrap_or(0) * pitch
        };
        (place(self.left, column, self.pitch.0), place(self.top, row, self.pitch.1))
    }

    /// Adds title, labels and colour bar, and writes the sheet to `path`, all of it or
    /// nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_png(mut self, path: &Path, summary: &Summary) -> Result<()> {
        let png = self.finish(summary)?;
        write_atomically(path, |out| out.write_all(&png))
    }

    /// Adds title, labels and colour bar: the bytes of a PNG file.
    ///
    /// # Errors
    /// When the picture cannot be encoded.
    fn finish(&mut self, summary: &Summary) -> Result<Vec<u8>> {
        let page = narrow(self.canvas.width().into());
        let header = self.texts.header(&self.font, page - 2.0 * MARGIN);
        header.draw(&mut self.canvas, &self.font, MARGIN, MARGIN);
        let half = narrow(self.frame.width.into()) / 2.0;
        for (column, text) in self.texts.columns.iter().enumerate() {
            let (x, top) = self.corner(0, column);
            let (x, y) = (narrow(x.into()) + half, narrow(top.into()) - 12.0);
            self.canvas.text(&self.font, text, x, y, Anchor::Middle, COLUMN);
        }
        for row in 0..self.rows {
            let of = |counts: &[u32]| counts.get(row).copied().unwrap_or(0);
            self.draw_row(row, of(&summary.members), of(&summary.fewest));
        }
        self.draw_foot();
        self.canvas.png()
    }

    fn draw_row(&mut self, row: usize, members: u32, fewest: u32) {
        let Some([title, first, second]) = self.texts.rows.get(row) else { return };
        let (_, top) = self.corner(row, 0);
        let mut y = narrow(top.into()) + narrow(self.frame.height.into()) / 2.0 - 24.0;
        let all = u32::try_from(self.texts.members).unwrap_or(u32::MAX);
        let fewer = match members {
            0 => "no complete member".to_owned(),
            some if fewest < some => format!("{fewest} to {some} of {all} members"),
            some if some < all => format!("{some} of {all} members"),
            _ => String::new(),
        };
        for (text, look) in [
            (title.as_str(), ROW_TITLE),
            (first, ROW_TEXT),
            (second, ROW_TEXT),
            (&fewer, Type { colour: Rgb(172, 29, 66), weight: Weight::SemiBold, ..ROW_TEXT }),
        ] {
            self.canvas.text(&self.font, text, MARGIN, y, Anchor::Left, look);
            y += look.size * 1.4;
        }
    }

    /// Colour bar, what the line means, who drew the borders.
    fn draw_foot(&mut self) {
        let (_, bottom) = self.corner(self.rows, 0);
        let y = narrow(bottom.into()) + LABEL.size * 1.6;
        let left = narrow(self.left.into());
        let (right, _) = self.corner(0, self.columns);
        let width = narrow(right.into()) - narrow(GAP.into()) - left;
        let length = (width - LEGEND).clamp(300.0, 1000.0);
        let bar = ColourBar::new(&self.scale, &self.style.units, Side::Below);
        bar.draw(&mut self.canvas, &self.font, left, y, length);
        let height = narrow(self.canvas.height().into());
        let x = left + length + 46.0;
        let pen = Pen { width: 2.6, ..EVEN_PEN };
        self.canvas.lines(&[vec![(x, y + 11.0), (x + 34.0, y + 11.0)]], pen);
        let look = Type { colour: Rgb::INK, ..ROW_TEXT };
        let text = "50 %: as likely as not";
        self.canvas.text(&self.font, text, x + 44.0, y + 17.0, Anchor::Left, look);
        let mut note = ATTRIBUTION.to_owned();
        if self.missing {
            note.push_str("  ·  hatched: no data");
        }
        if self.windows > self.rows {
            note.push_str(&format!("  ·  the first {} of {} windows", self.rows, self.windows));
        }
        let y = height - MARGIN / 2.0 - 3.0;
        self.canvas.text(&self.font, &note, MARGIN, y, Anchor::Left, NOTE);
    }
}

/// A field of the region, without values yet.
fn template(job: &Exceedance) -> Result<Field> {
    let points = job.totals().points();
    let grid = job.totals().grid();
    let mut field = Field::new(job.name(), grid, vec![f32::NAN; points])?;
    for coordinate in job.totals().coordinates() {
        field = field.with_coordinate(coordinate.clone())?;
    }
    Ok(field)
}

impl Texts {
    /// Title and subtitle on a page of so many pixels between its margins.
    fn header(&self, font: &Font, width: f32) -> Header {
        let texts = [(self.title.as_str(), TITLE, 1.25), (&self.subtitle, SUBTITLE, 1.6)];
        Header::new(font, &texts, width)
    }

    fn new(job: &Exceedance, rows: usize, zone: Zone) -> Self {
        let totals = job.totals();
        let text = |name: &str| totals.attributes().get(name).and_then(|it| it.as_str());
        let what = text("long_name").unwrap_or(&totals.request().variable).to_lowercase();
        let model = totals.dataset_attributes().get("title").and_then(|it| it.as_str());
        let members = totals.members();
        let mut subtitle = vec![model.unwrap_or_default().to_owned()];
        if let Some(run) = totals.reference_time() {
            subtitle.push(format!("Run {}", Zone::UTC.text(run, "%a %-d %b %Y %H:%M UTC")));
            if zone != Zone::UTC {
                let mut names: Vec<String> = Vec::new();
                for window in totals.windows().iter().take(rows) {
                    for lead in [window.span.start, window.span.end] {
                        let name = zone.name(run + i64::from(lead) * totals.unit().seconds());
                        if !names.contains(&name) {
                            names.push(name);
                        }
                    }
                }
                subtitle.push(format!("times in {}", names.join(" and ")));
            }
        }
        subtitle.push(if members == 1 { "1 member".into() } else { format!("{members} members") });
        subtitle.retain(|part| !part.is_empty());
        let amount = |it: &f32| format!("≥ {it} {}", totals.units());
        Self {
            title: format!(
                "Probability that {what} reaches a threshold in {}",
                totals.request().period
            ),
            subtitle: subtitle.join(SEPARATOR),
            columns: job.thresholds().iter().map(amount).collect(),
            rows: (0..rows).map(|row| row_text(job, row, zone)).collect(),
            members,
        }
    }
}

/// A row's date, its local times, its leads.
fn row_text(job: &Exceedance, row: usize, zone: Zone) -> [String; 3] {
    let totals = job.totals();
    let Some(window) = totals.windows().get(row) else { return Default::default() };
    let unit = match totals.unit() {
        gik_core::StepUnit::Hours => "h",
        gik_core::StepUnit::Minutes => "min",
    };
    let leads = format!("T+{} {unit}", window.span);
    let Some(run) = totals.reference_time() else {
        return [leads, String::new(), String::new()];
    };
    let at = |lead: u32| run + i64::from(lead) * totals.unit().seconds();
    let (start, end) = (at(window.span.start), at(window.span.end));
    // Clocks may change within a window.
    let (before, name) = match (zone.name(start), zone.name(end)) {
        (same, name) if same == name => (String::new(), name),
        (before, after) => (format!(" {before}"), after),
    };
    let day = zone.text(start, "%a %-d %b");
    let until = match zone.text(end, "%a %-d %b") {
        same if same == day => zone.text(end, "%H:%M"),
        _ if totals.request().period <= Period::hours(24) => zone.text(end, "%a %H:%M"),
        other => format!("{other}, {}", zone.text(end, "%H:%M")),
    };
    [day, format!("{}{before}–{until} {name}", zone.text(start, "%H:%M")), leads]
}
