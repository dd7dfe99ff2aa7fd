using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using PsyLite.Options;

namespace PsyLite.Tests.Options;

/// <summary>Settings from file and environment, and docs/settings.md, which lists every one of them.</summary>
public sealed partial class SettingsTests
{
    private static SettingSource Of(Dictionary<string, string>? environment = null, string file = "{}") =>
        new(name => environment?.GetValueOrDefault(name), SettingSource.Parse(Encoding.UTF8.GetBytes(file), "psylite.json"), "psylite.json");

    [Fact]
    public void The_table_lists_every_setting_and_no_other()
    {
        var source = Of();
        AppOptions.Read(source);
        var document = File.ReadAllText(Path.Combine(ReferenceGraphTests.Root, "docs", "settings.md"));
        var rows = Row().Matches(document).Select(m => (Variable: m.Groups[1].Value, InFile: m.Groups[2].Value, Default: m.Groups[3].Value.Trim('`'))).ToList();
        Assert.True(rows.Count > 30, $"{rows.Count} rows");
        Assert.Equal(source.Asked.Order(StringComparer.Ordinal), rows.Select(r => r.Variable).Order(StringComparer.Ordinal));
        Assert.All(rows, r => Assert.Equal(SettingSource.NameInFile(r.Variable), r.InFile));

        // One option of the program for each row.
        var properties = typeof(AppOptions).GetProperties().Where(p => p.CanWrite).ToList();
        Assert.Equal(properties.Count, rows.Count);
        var defaults = new AppOptions();
        foreach (var (variable, value) in new (string, object)[]
        {
            ("PSYLITE_URLS", defaults.Urls), ("PSYLITE_CONTEXT", defaults.Context), ("PSYLITE_RETENTION_DAYS", defaults.RetentionDays), ("PSYLITE_MAX_TURNS", defaults.MaxTurns),
            ("PSYLITE_REQUESTS_PER_MINUTE", defaults.RequestsPerMinute), ("PSYLITE_THREADS", defaults.Threads), ("HF_ENDPOINT", defaults.HuggingFace),
        })
        {
            Assert.Equal($"{value}", rows.Single(r => r.Variable == variable).Default);
        }
    }

    [Fact]
    public void Flags_of_the_table_are_those_of_serve()
    {
        var document = File.ReadAllText(Path.Combine(ReferenceGraphTests.Root, "docs", "settings.md"));
        var serve = PsyLite.Commands.ServeCommand.Create();
        Assert.Equal(
            serve.Options.Select(o => o.Name).Order(StringComparer.Ordinal),
            Flag().Matches(document).Select(m => m.Groups[1].Value).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_environment_wins_over_the_file_and_the_file_over_defaults()
    {
        var options = AppOptions.Read(Of(
            new() { ["PSYLITE_MAX_TURNS"] = "7" },
            """{ "maxTurns": 9, "requestsPerMinute": 11, "accounts": true, "hosts": ["a.example", "b.example"], /* why */ "proxy": "10.0.0.0/24, ::1", "hfToken": "t", }"""));
        Assert.Equal((7, 11, true, "t"), (options.MaxTurns, options.RequestsPerMinute, options.Accounts, options.HuggingFaceToken));
        Assert.Equal(["a.example", "b.example"], options.Hosts);
        Assert.True(options.Proxies[0].Contains(IPAddress.Parse("10.0.0.77")));
    }

    [Theory]
    [InlineData("""{"maxTurn": 5}""", "maxTurn;")]
    [InlineData("""{"maxTurns": 0}""", "at least 1")]
    [InlineData("""{"accounts": "perhaps"}""", "neither on nor off")]
    [InlineData("""{"proxy": "nonsense"}""", "10.0.0.0/24")]
    [InlineData("""{"urls": {"a": 1}}""", "urls must be")]
    [InlineData("""{"urls": "a", "urls": "b"}""", "not valid JSON")]
    [InlineData("[1]", "one JSON object")]
    [InlineData("{", "not valid JSON")]
    public void A_slip_of_the_pen_is_told_in_one_line(string file, string words) =>
        Assert.Contains(words, Assert.Throws<InvalidDataException>(() => AppOptions.Read(Of(file: file))).Message);

    [Fact]
    public void Damaged_files_are_settings_or_one_line()
    {
        var whole = Encoding.UTF8.GetBytes("""{ "maxTurns": 9, "urls": "http://127.0.0.1:1", "accounts": true, "hosts": ["a.example"], "proxy": "10.0.0.0/24" }""");
        var random = new Random(3);
        var read = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = whole.ToArray();
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                AppOptions.Read(new SettingSource(_ => null, SettingSource.Parse(bytes.AsMemory(0, random.Next(bytes.Length / 2, bytes.Length + 1)), "x"), "x"));
                read++;
            }
            catch (InvalidDataException)
            {
                // One line, as it should be.
            }
        }

        Assert.InRange(read, 1, 19_999);
    }

    [Theory]
    [InlineData("http://0.0.0.0:8080", false, null, null, "needs accounts")]
    [InlineData("http://psy.example.org", false, null, null, "needs accounts")]
    [InlineData("http://0.0.0.0:8080", true, null, null, "without TLS")]
    [InlineData("https://0.0.0.0:8443", true, null, null, "needs a certificate")]
    [InlineData("https://0.0.0.0:8443", true, "/nowhere.pem", null, "/nowhere.pem")]
    [InlineData("http://127.0.0.1:8080", false, null, "10.0.0.5", "needs accounts")]
    [InlineData("ftp://127.0.0.1", false, null, null, "not an address")]
    [InlineData("http://*:8080", false, null, null, "needs accounts")]
    [InlineData("http://127.0.0.1:8080;http://192.168.1.4:80", true, null, null, "without TLS")]
    public void Beyond_this_machine_only_with_accounts_and_tls_or_a_named_proxy(string urls, bool accounts, string? certificate, string? proxy, string words)
    {
        var options = new AppOptions { Urls = urls, Accounts = accounts, Certificate = certificate, Proxies = Exposure.NetworksOf(proxy, "PSYLITE_PROXY") };
        Assert.Contains(words, Assert.Throws<InvalidDataException>(options.CheckUrls).Message);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080", false, null)]
    [InlineData("http://localhost:8080;http://[::1]:8080", false, null)]
    [InlineData("http://127.0.0.1:8080", false, "127.0.0.1")]
    [InlineData("http://0.0.0.0:8080", true, "10.0.0.0/24")]
    public void What_is_safe_is_served(string urls, bool accounts, string? proxy) =>
        new AppOptions { Urls = urls, Accounts = accounts, Proxies = Exposure.NetworksOf(proxy, "PSYLITE_PROXY") }.CheckUrls();

    [GeneratedRegex(@"^\| `([A-Z_]+)` \| `(\w+)` \| ([^|]*) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\(`(--[a-z]+)`\)")]
    private static partial Regex Flag();
}
