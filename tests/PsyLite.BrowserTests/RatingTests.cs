using System.Text.RegularExpressions;
using Microsoft.Playwright;
using PsyLite.Evaluation.Counselling;

namespace PsyLite.BrowserTests;

/// <summary>The blind rating form in a real browser: rated with the keys, left, taken up again, exported and read back.</summary>
[Collection(BrowserCollection.Name)]
public sealed partial class RatingTests(Chromium chromium) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("psylite-rating");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    public async Task A_person_rates_two_runs_without_knowing_which_is_which(int width, ColorScheme scheme)
    {
        var (file, key) = await MakeAsync();
        await using var page = await chromium.OpenFileAsync(file, width, scheme);
        Assert.DoesNotContain("secret", await page.Page.ContentAsync());
        Assert.Empty(await page.AccessFaultsAsync());
        await page.ExpectNoSidewaysScrollAsync();
        await Assertions.Expect(page.Page.Locator("#export")).ToBeDisabledAsync();
        await TakeAsync(page, $"rating-{width}-{scheme}-fresh");

        // The first with the keys alone: the focus stands where the next digit goes.
        await page.Page.Keyboard.TypeAsync("2311");
        await Assertions.Expect(page.Page.Locator("#count")).ToHaveTextAsync("1 / 4");
        await Assertions.Expect(page.Page.Locator("#next")).ToBeFocusedAsync();
        Assert.True(await page.Page.Locator("fieldset").Last.EvaluateAsync<bool>("e => e.getBoundingClientRect().bottom < document.querySelector('.bar').getBoundingClientRect().top + 2"), "the bar hides the score in hand");
        await TakeAsync(page, $"rating-{width}-{scheme}-rated");
        await page.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Page.Locator("h2")).ToContainTextAsync("第 2 条");

        // A digit beyond the scale does nothing; the second is left half done, and the page closed.
        await page.Page.Keyboard.TypeAsync("910");
        await page.Page.Locator("#rater").FillAsync("wang");
        await page.Page.ReloadAsync();
        await Assertions.Expect(page.Page.Locator("h2")).ToContainTextAsync("第 2 条");
        await Assertions.Expect(page.Page.Locator("#count")).ToHaveTextAsync("1 / 4");
        await Assertions.Expect(page.Page.Locator("#rater")).ToHaveValueAsync("wang");
        await Assertions.Expect(page.Page.Locator("[name=s0]").Nth(1)).ToBeCheckedAsync();
        await Assertions.Expect(page.Page.Locator("[name=s2]:checked")).ToHaveCountAsync(0);

        // The rest with the mouse, or a finger.
        await RateAsync(page, [null, null, 2, 1]);
        await page.Page.Locator("#next").ClickAsync();
        await RateAsync(page, [0, 1, 1, 0]);
        await page.Page.Keyboard.PressAsync("Backspace");
        await Assertions.Expect(page.Page.Locator("h2")).ToContainTextAsync("第 2 条");
        var first = await ExportAsync(page, "first.json");
        await Assertions.Expect(page.Page.Locator("#status")).ToContainTextAsync("还有 1 条");
        Assert.Equal(3, RatingForm.Read(first, key, "first").Ratings.Count);

        // On another machine the export is loaded, and goes on where it stopped.
        await using var elsewhere = await chromium.OpenFileAsync(file, width, scheme);
        await elsewhere.Page.Locator("#load").SetInputFilesAsync(Path.Combine(_folder.FullName, "first.json"));
        await Assertions.Expect(elsewhere.Page.Locator("#count")).ToHaveTextAsync("3 / 4");
        await Assertions.Expect(elsewhere.Page.Locator("h2")).ToContainTextAsync("第 4 条");
        await Assertions.Expect(elsewhere.Page.Locator("#rater")).ToHaveValueAsync("wang");
        await RateAsync(elsewhere, [2, 3, 3, 1]);
        var ratings = RatingForm.Read(await ExportAsync(elsewhere, "all.json"), key, "all");
        Assert.Equal("wang", ratings.Rater);
        Assert.Equal<IEnumerable<double>>([[2, 3, 1, 1], [1, 0, 2, 1], [0, 1, 1, 0], [2, 3, 3, 1]], key.Items.Select(i => ratings.Ratings.Single(r => r.Id == i.Id).Scores));

        // What was rated goes to the run that it was hidden behind, and is held against the judge.
        var report = RatingReport.Of(key, [ratings]);
        Assert.Equal(0, report.Unrated);
        Assert.All(report.Runs, r => Assert.Equal(2, r.Ratings));
        Assert.Equal(key.Items.Where(i => i.Run == "secret-a").Average(i => ratings.Ratings.Single(r => r.Id == i.Id).Scores[0]), report.Runs.Single(r => r.Run == "secret-a").Figures[0].Estimate.Value, 12);
        Assert.Equal(("wang", "rules", 4), report.Agreement.Select(a => (a.First, a.Second, a.Turns)).Distinct().Single());
        Assert.Empty(page.ForeignRequests);
        Assert.Empty(page.Problems);
    }

    [Fact]
    public async Task Another_form_or_a_broken_export_is_refused_and_changes_nothing()
    {
        var (file, key) = await MakeAsync();
        await using var page = await chromium.OpenFileAsync(file, 1280, ColorScheme.Light);
        foreach (var text in (string[])["[", "{}", """{"form":"other","rater":"x","ratings":[]}""", $$"""{"form":"{{key.Form}}","rater":"x","ratings":[{"id":"{{key.Items[0].Id}}","scores":[9,0,0,0]},{"id":"unknown","scores":[1,1,1,1]}]}"""])
        {
            var path = Path.Combine(_folder.FullName, "bad.json");
            await File.WriteAllTextAsync(path, text);
            await page.Page.Locator("#status").EvaluateAsync("e => e.textContent = ''");
            await page.Page.Locator("#load").SetInputFilesAsync(path);
            await Assertions.Expect(page.Page.Locator("#status")).ToHaveTextAsync(MeansNothing());
            await Assertions.Expect(page.Page.Locator("#count")).ToHaveTextAsync("0 / 4");
        }

        Assert.Empty(page.Problems);
    }

    [Fact]
    public void Order_follows_the_seed_and_the_form_its_replies()
    {
        IReadOnlyList<string> Order(int seed, string reply) => [.. Make(seed, reply).Key.Items.Select(i => i.Run + i.Turn)];
        Assert.Equal(Order(3, "一"), Order(3, "一"));
        Assert.True(Enumerable.Range(1, 10).Select(seed => string.Join(',', Order(seed, "一"))).Distinct().Count() > 3);
        Assert.NotEqual(Make(3, "一").Key.Form, Make(3, "二").Key.Form);
    }

    private async Task<(string File, RatingKey Key)> MakeAsync()
    {
        var (html, key) = Make(7, "先说说最近的事。");
        var file = Path.Combine(_folder.FullName, "rate.html");
        await File.WriteAllTextAsync(file, html);
        return (file, key);
    }

    private static (string Html, RatingKey Key) Make(int seed, string reply) => RatingForm.Make(
        [("secret-a", EvaluationReports.Counselling("secret-a", 1, turn => $"{reply}{turn}")), ("secret-b", EvaluationReports.Counselling("secret-b", 2, turn => $"听着真不容易，难怪睡不着。{turn}"))],
        CounsellingScale.Notebook, 2, seed);

    private static async Task RateAsync(PageProbe page, int?[] scores)
    {
        foreach (var (metric, score) in scores.Index())
        {
            if (score is { } value)
            {
                await page.Page.Locator($".scores:has([name=s{metric}]) label").Nth(value).ClickAsync();
            }
        }
    }

    private async Task<string> ExportAsync(PageProbe page, string name)
    {
        var download = await page.Page.RunAndWaitForDownloadAsync(() => page.Page.Locator("#export").ClickAsync());
        Assert.Equal("ratings-wang.json", download.SuggestedFilename);
        var path = Path.Combine(_folder.FullName, name);
        await download.SaveAsAsync(path);
        return await File.ReadAllTextAsync(path);
    }

    private static async Task TakeAsync(PageProbe page, string name)
    {
        if (PageProbe.Pictures is { } folder)
        {
            await page.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }
    }

    [GeneratedRegex("不是这张表|评完 0 条")]
    private static partial Regex MeansNothing();
}
