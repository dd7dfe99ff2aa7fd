using System.IO.Compression;
using System.Text;
using System.Text.Json;
using PsyLite.Tests.Store;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Records;

namespace PsyLite.Tests.Training.Data.Import;

/// <summary>Files as people have them: marks, line ends, encodings, halves of downloads. What can be read is read, the rest is named by line and reason.</summary>
public sealed class OddSourceTests : IDisposable
{
    private const string Row = """{"instruction":"我睡不着","input":"","output":"听着就累。夜里想得最多的是什么？"}""";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private (List<DataRecord> Records, List<(int Line, string Reason)> Rejected) Read(string name, byte[] bytes)
    {
        File.WriteAllBytes(_folder[name], bytes);
        var output = _folder["out.jsonl"];
        try
        {
            ImportRun.Run([new SourceOptions(_folder[name])], output, scrubs: false, [], null, default);
        }
        catch (InvalidDataException e)
        {
            Assert.Contains("no row could be used", e.Message);
            File.Delete(output);
        }

        var rejected = File.ReadLines(output + ".rejected.jsonl").Select(l => JsonSerializer.Deserialize<JsonElement>(l)).Select(r => (r.GetProperty("line").GetInt32(), r.GetProperty("reason").GetString()!)).ToList();
        return (File.Exists(output) ? RecordReading.Records([new SourceOptions(output)], new DataManifest(""), null, default).ToList() : [], rejected);
    }

    private (List<DataRecord> Records, List<(int Line, string Reason)> Rejected) Read(string name, string text) => Read(name, Encoding.UTF8.GetBytes(text));

    [Theory]
    [InlineData("a.jsonl", "\ufeff{0}\r\n{0}\r\n\r\n{0}")]
    [InlineData("a.json", "\ufeff\r\n[\r\n{0},\r\n{0},\r\n{0}\r\n]\r\n")]
    [InlineData("a.csv", "\ufeffinstruction,output\r\n我睡不着,听着就累。夜里想得最多的是什么？\r\n我睡不着,听着就累。夜里想得最多的是什么？\r\n我睡不着,听着就累。夜里想得最多的是什么？")]
    public void Marks_and_line_ends_do_not_matter(string name, string text)
    {
        var (records, rejected) = Read(name, text.Replace("{0}", Row, StringComparison.Ordinal));
        Assert.Empty(rejected);
        Assert.Equal(3, records.Count);
        Assert.All(records, r => Assert.Equal(("我睡不着", "听着就累。夜里想得最多的是什么？"), (r.Question, r.Reply.Content)));
    }

    [Theory]
    [InlineData("gb18030", "a.jsonl", 0)]
    [InlineData("gb18030", "a.csv", 0)]
    [InlineData("utf-16", "a.jsonl", 0)]
    [InlineData("utf-16", "a.csv", 1)]
    public void Another_encoding_is_refused_and_never_taken_for_text(string encoding, string name, int kept)
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var text = name.EndsWith("csv", StringComparison.Ordinal) ? "instruction,output\n我睡不着,听着就累。\n" : Row + "\n";
        var (records, rejected) = Read(name, [.. Encoding.GetEncoding(encoding).GetPreamble(), .. Encoding.GetEncoding(encoding).GetBytes(text)]);
        Assert.Equal(kept, records.Count);
        Assert.Equal(kept == 0, rejected.Count > 0);
        Assert.All(records, r => Assert.Equal("我睡不着", r.Question));
    }

    [Fact]
    public void A_half_of_a_download_gives_its_whole_rows_and_says_that_it_ends()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var random = new Random(2);
            for (var i = 0; i < 3000; i++)
            {
                gzip.Write(Encoding.UTF8.GetBytes(Row.Replace("我睡不着", $"我睡不着{random.NextInt64()}", StringComparison.Ordinal) + "\n"));
            }
        }

        var bytes = packed.ToArray();
        var (records, rejected) = Read("a.jsonl.gz", bytes[..(bytes.Length / 2)]);
        Assert.InRange(records.Count, 100, 2900);
        Assert.Contains("gzip is damaged", Assert.Single(rejected).Reason);
        Assert.All(records, r => Assert.Equal("听着就累。夜里想得最多的是什么？", r.Reply.Content));

        // Without its last byte a file may not be all there was; two files one behind the other are one.
        var cut = Read("b.jsonl.gz", bytes[..^1]);
        Assert.InRange(cut.Records.Count, 2990, 3000);
        Assert.Contains("gzip is damaged", Assert.Single(cut.Rejected).Reason);
        var twice = Read("c.jsonl.gz", [.. bytes, .. bytes]);
        Assert.Equal((6000, 0), (twice.Records.Count, twice.Rejected.Count));
    }

    [Fact]
    public void What_is_nested_ambiguous_or_of_another_kind_costs_its_own_row()
    {
        var (records, rejected) = Read("a.jsonl", string.Join('\n',
            string.Concat(Enumerable.Repeat("{\"instruction\":", 2000)) + "1" + new string('}', 2000),
            new string('[', 100_000).Insert(0, "x"),
            """{"instruction":"一","instruction":"二","output":"好的。"}""",
            """{"instruction":"一","output":{"a":1}}""",
            """{"messages":[{"role":"tool","content":"x"},{"role":"assistant","content":"y"}]}""",
            """{"instruction":"一","output":"好的。","history":[["a"],["b","c","d"]]}""",
            """{"output":"好的。"}""", "null", "7", "{}", Row));
        Assert.Single(records);
        Assert.Equal(Enumerable.Range(1, 10), rejected.Select(r => r.Line));
        Assert.Equal("a name stands twice in an object", rejected[2].Reason);
        Assert.All(rejected, r => Assert.True(r.Reason.Length is > 8 and < 200 && !r.Reason.Contains("好的", StringComparison.Ordinal), r.Reason));
    }

    [Theory]
    [InlineData("a.jsonl", "")]
    [InlineData("a.jsonl", " \r\n\n\t\r\n")]
    [InlineData("a.json", "[]")]
    [InlineData("a.csv", "")]
    [InlineData("a.csv", "instruction,output\n")]
    [InlineData("a.jsonl.gz", "")]
    public void An_empty_file_is_said_to_have_no_rows(string name, string text)
    {
        var (records, rejected) = Read(name, text);
        Assert.Equal((0, 0), (records.Count, rejected.Count));
        Assert.False(File.Exists(_folder["out.jsonl"]));
    }

    [Theory]
    [InlineData("a.jsonl", "{\"instruction\":\"我\",\"output\":\"", "\"}\n")]
    [InlineData("a.json", "[{\"instruction\":\"我\",\"output\":\"", "\"},\n")]
    [InlineData("a.csv", "instruction,output\n我,\"", "\"\n")]
    public void A_row_of_fifty_megabytes_is_passed_over_in_bounded_memory(string name, string before, string after)
    {
        var after2 = name.EndsWith("json", StringComparison.Ordinal) ? Row + "]" : name.EndsWith("csv", StringComparison.Ordinal) ? "我睡不着,听着就累。\n" : Row + "\n";
        var large = new byte[50 << 20];
        Array.Fill(large, (byte)'a');
        var (records, rejected) = Read(name, [.. Encoding.UTF8.GetBytes(before), .. large, .. Encoding.UTF8.GetBytes(after + after2)]);
        Assert.Equal("我睡不着", Assert.Single(records).Question);
        Assert.Contains("long", Assert.Single(rejected).Reason);
    }
}
