using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.Counselling;

/// <summary>A reply to be rated, without a word on where it comes from.</summary>
public sealed record RatingItem(string Id, string History, string Query, string Reply);

/// <summary>What the form does not show: which run each item is from.</summary>
public sealed record RatingKey(string Form, string Scale, IReadOnlyList<RatingKeyEntry> Items)
{
    /// <summary>Who judged each run, by the run's name.</summary>
    public IReadOnlyDictionary<string, string> Judges { get; init; } = new Dictionary<string, string>();
}

/// <param name="Run">Name of the run.</param>
/// <param name="Turn">Id of the turn in it.</param>
/// <param name="Judge">Scores that the run's first judge gave, for agreement; null where they could not be read.</param>
public sealed record RatingKeyEntry(string Id, string Run, string Turn, IReadOnlyList<double>? Judge);

/// <summary>What a person exported from the form.</summary>
public sealed record HumanRatings(string Form, string Rater, IReadOnlyList<HumanRating> Ratings);

public sealed record HumanRating(string Id, IReadOnlyList<double> Scores);

/// <summary>
/// A page on which a person rates replies of several runs by the judges' own rubric, blind: order and names are shuffled, and the key stays
/// in another file. It works from a disk without a network and keeps what was rated in the browser until it is exported.
/// </summary>
public static class RatingForm
{
    /// <param name="turns">Turns to draw; each comes once for every run.</param>
    public static (string Html, RatingKey Key) Make(IReadOnlyList<(string Run, CounsellingReport Report)> runs, CounsellingScale scale, int turns, int seed)
    {
        var random = new Random(seed);
        var common = runs.Select(r => r.Report.Turns.Select(t => t.Id)).Aggregate((a, b) => a.Intersect(b)).ToArray();
        random.Shuffle(common);
        var chosen = common.Take(turns).Order(StringComparer.Ordinal).ToList();
        var rows = runs.ToDictionary(r => r.Run, r => r.Report.Turns.ToDictionary(t => t.Id));

        // The replies are part of it: what was said of others must not be taken for what is said of these.
        var form = Journal.Key([seed.ToString(System.Globalization.CultureInfo.InvariantCulture), scale.Name, .. runs.SelectMany(r => chosen.Select(t => rows[r.Run][t].Reply).Prepend(r.Run)), .. chosen])[..12];
        var items = new List<RatingItem>();
        var key = new List<RatingKeyEntry>();
        foreach (var turn in chosen)
        {
            var order = runs.ToArray();
            random.Shuffle(order);
            foreach (var (run, _) in order)
            {
                var row = rows[run][turn];
                var id = Journal.Key(form, run, turn)[..10];
                items.Add(new RatingItem(id, row.History, row.Query, row.Reply));
                key.Add(new RatingKeyEntry(id, run, turn, row.Scores[0]));
            }
        }

        return (Html(form, scale, items), new RatingKey(form, scale.Name, key) { Judges = runs.ToDictionary(r => r.Run, r => r.Report.Manifest.Judges[0].Name) });
    }

    /// <exception cref="InvalidDataException">It is no export of the form that the key is of, or a score is off the scale.</exception>
    public static HumanRatings Read(string json, RatingKey key, string source)
    {
        HumanRatings? ratings;
        try
        {
            ratings = ReportJson.Read<HumanRatings>(json);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{source} is no export of the rating form.", e);
        }

        var scale = key.Scale == CounsellingScale.Readme.Name ? CounsellingScale.Readme : CounsellingScale.Notebook;
        var known = key.Items.Select(i => i.Id).ToHashSet();
        if (ratings is not { Form: not null, Rater: not null, Ratings: not null } || ratings.Form != key.Form)
        {
            throw new InvalidDataException($"{source} belongs to another form than {key.Form}: keep rate.html, rate-key.json and the exports of one form together.");
        }

        foreach (var rating in ratings.Ratings)
        {
            if (rating?.Id is null || !known.Contains(rating.Id) || rating.Scores?.Count != scale.Most.Count || rating.Scores.Index().Any(s => !(s.Item >= 0 && s.Item <= scale[s.Index])))
            {
                throw new InvalidDataException($"{source}: the rating of {rating?.Id} is not of this form or off the scale.");
            }
        }

        return ratings with { Ratings = [.. ratings.Ratings.GroupBy(r => r.Id).Select(g => g.Last())] };
    }

    private static string Html(string form, CounsellingScale scale, List<RatingItem> items)
    {
        // A closing tag inside the data must not end the script that holds it.
        var data = JsonSerializer.Serialize(new { form, most = scale.Most, items }, JsonSerializerOptions.Web);
        var script = Resource("rating.js").Replace("/*DATA*/null", data, StringComparison.Ordinal);
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)));
        return Resource("rating.html").Replace("{{hash}}", hash, StringComparison.Ordinal).Replace("{{style}}", Resource("report.css"), StringComparison.Ordinal).Replace("{{script}}", script, StringComparison.Ordinal);
    }

    private static string Resource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"PsyLite.Evaluation.{name}") ?? throw new InvalidOperationException($"{name} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
