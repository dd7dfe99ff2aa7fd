using System.Text.RegularExpressions;
using PsyLite.Agent;
using PsyLite.Agent.Crisis;

namespace PsyLite.Tests.Agent.Crisis;

public sealed class HotlineDirectoryTests
{
    private static readonly HotlineDirectory Hotlines = new();

    [Fact]
    public void Numbers_live_in_the_directory_alone()
    {
        var agent = Path.Combine(ReferenceGraphTests.Root, "src/PsyLite.Agent");
        var files = Directory.GetFiles(agent, "*.*", SearchOption.AllDirectories)
            .Where(f => f.EndsWith(".cs", StringComparison.Ordinal) || f.EndsWith(".yaml", StringComparison.Ordinal) || f.EndsWith(".txt", StringComparison.Ordinal)).ToList();
        Assert.True(files.Count > 30, $"{files.Count} files");
        var numbers = Hotlines.Lines.Select(l => l.Number).Where(n => n.Any(char.IsAsciiDigit)).Distinct().ToList();
        var isNumber = new Regex($"(?<![0-9A-Za-z])(?:{string.Join('|', numbers.Select(Regex.Escape))})(?![0-9A-Za-z])");
        foreach (var file in files.Where(f => !f.EndsWith("hotlines.yaml", StringComparison.Ordinal)))
        {
            var text = File.ReadAllText(file);
            // Rules recognise what people say about having called a line; they are never shown.
            var isShown = !file.Contains("/Rules/", StringComparison.Ordinal) && !file.Contains("/Tables/", StringComparison.Ordinal);
            Assert.False(isShown && isNumber.IsMatch(text), $"{Path.GetFileName(file)} holds {isNumber.Match(text).Value}");
        }
    }

    [Fact]
    public void Every_number_has_a_source_and_was_verified_in_the_last_ninety_days()
    {
        Assert.Null(Hotlines.Problem);
        Assert.True(Hotlines.Lines.Count >= 20, $"{Hotlines.Lines.Count} lines");
        Assert.All(Hotlines.Lines, l => Assert.Matches("^(?:.+ \\()?https?://", l.Source));
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        var expired = Hotlines.Expired(today).Select(l => $"{l.Id} {l.Number} (verified {l.VerifiedOn:yyyy-MM-dd}): look it up at {l.Source} and renew the date in hotlines.yaml").ToList();
        Assert.True(expired.Count == 0, string.Join('\n', expired));
    }

    [Fact]
    public void A_number_expires_after_ninety_days_and_says_which()
    {
        var line = Hotlines.Lines.First(l => l.Id == "cn.lifeline");
        Assert.DoesNotContain(line, Hotlines.Expired(line.VerifiedOn.AddDays(90)));
        Assert.Contains(line, Hotlines.Expired(line.VerifiedOn.AddDays(91)));
        Assert.Contains(line, Hotlines.Expired(line.VerifiedOn.AddDays(-1)));
    }

    [Theory]
    [InlineData("CN", "zh-CN", "12356", "120/110")]
    [InlineData("HK", "yue", "18111", "999")]
    [InlineData("TW", "zh-TW", "1925", "119/110")]
    [InlineData("MO", "yue", "2852 5222", "999")]
    [InlineData("US", "en", "988", "911")]
    [InlineData("GB", "en", "116 123", "999")]
    [InlineData("SG", "en", "1767", "995/999")]
    [InlineData("INTL", "en", "the line for your country at findahelpline.com", "your emergency number (112 works on most mobiles)")]
    [InlineData("XX", "zh-CN", "findahelpline.com 上的当地热线", "当地紧急电话（手机一般可拨 112）")]
    public void Each_region_has_its_lines(string region, string language, string line, string emergency)
    {
        Assert.Equal(line, Hotlines.Say("line", region, language));
        Assert.Equal(emergency, Hotlines.Say("emergency", region, language));
        Assert.Null(Hotlines.Say("no-role", region, language));
    }

    [Theory]
    [InlineData("HK", "zh-TW", "我不想活了", "HK")]
    [InlineData("uk", null, "我不想活了", "GB")]
    [InlineData("FR", null, "我不想活了", "INTL")]
    [InlineData(null, "zh-Hant-MO", "我不想活了", "MO")]
    [InlineData(null, "en-US", "I want to die", "US")]
    [InlineData(null, "en-AU", "I want to die", "INTL")]
    [InlineData(null, "en", "I want to die, I'm in London", "GB")]
    [InlineData(null, null, "I want to die, I live in the US", "US")]
    [InlineData(null, null, "I want to die", "INTL")]
    [InlineData(null, null, "不想活了，我现在在香港读书", "HK")]
    [InlineData(null, null, "不想活了，我在日本留学", "INTL")]
    [InlineData(null, null, "我看了香港电影，不想活了", "CN")]
    [InlineData(null, null, "我不想活了", "CN")]
    [InlineData(null, null, "我撐不下去了，想結束一切", "TW")]
    [InlineData(null, null, "唔想再捱落去喇，好攰，想結束", "HK")]
    [InlineData(null, null, "唔想捱落去啦，好攰", "CN")]
    public void Whose_lines_fit(string? option, string? tag, string text, string region)
    {
        var request = new TurnRequest(Turns.Say(text), new ConversationState()) { Region = option, Language = tag };
        var language = LanguageOf.Tag(tag) ?? LanguageOf.Text(text, Turns.Assessor.Normaliser);
        Assert.Equal(region, RegionOf.Choose(request, text, language, text.Any(Turns.Assessor.Normaliser.IsTraditional), Hotlines));
    }

    [Fact]
    public async Task A_place_once_said_is_remembered()
    {
        var state = new ConversationState();
        await Turns.Pipeline(null).AskAsync("我现在在新加坡工作，好绝望", state);
        Assert.Contains("995", (await Turns.Pipeline(null).AskAsync("我不想活了，药已经买好了", state)).Reply);
    }

    [Theory]
    [InlineData("")]
    [InlineData("lines: [")]
    [InlineData("lines: 3")]
    [InlineData("lines: [{ id: a.b }]\nregions: {}\nanywhere: {}")]
    [InlineData("lines: []\nregions: { CN: { line: cn.gone } }\nanywhere: {}")]
    public void A_broken_file_leaves_words_in_place_of_numbers(string yaml)
    {
        var broken = new HotlineDirectory(yaml);
        Assert.NotNull(broken.Problem);
        Assert.Empty(broken.Lines);
        Assert.Equal("当地的心理援助热线", broken.Say("line", "CN", "zh-CN"));
        Assert.Equal("your local emergency number", broken.Say("emergency", "US", "en"));
        Assert.False(broken.Knows("12356"));
    }

    [Fact]
    public void No_damage_to_the_file_throws()
    {
        var yaml = EmbeddedText.Read("Crisis.hotlines.yaml");
        var random = new Random(5);
        for (var run = 0; run < 150; run++)
        {
            var damaged = yaml.ToCharArray();
            for (var hit = random.Next(1, 5); hit > 0; hit--)
            {
                damaged[random.Next(damaged.Length)] = "\0{}[]:'\n 9"[random.Next(10)];
            }

            var directory = new HotlineDirectory(new string(damaged));
            Assert.NotNull(directory.Say("emergency", "CN", "zh-CN"));
        }
    }
}
