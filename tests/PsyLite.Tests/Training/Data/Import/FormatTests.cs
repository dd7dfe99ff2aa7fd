using System.Text;
using System.Text.Json;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Records;

namespace PsyLite.Tests.Training.Data.Import;

/// <summary>One row of each format, and what it means.</summary>
public sealed class FormatTests
{
    private const string Reply = "先喘口气。";

    [Theory]
    [InlineData("""["求助者：我睡不着","支持者：先喘口气。"]""", "CPsyCoun", "user:我睡不着|assistant:先喘口气。")]
    [InlineData("""["求助者：我睡不着","求助者：一周了","支持者：先喘口气。","求助者：嗯"]""", "CPsyCoun", "user:我睡不着\n一周了|assistant:先喘口气。")]
    [InlineData("""{"conversation":[{"system":"你是咨询师","input":"我睡不着","output":"先喘口气。"}]}""", "CPsyCoun", "system:你是咨询师|user:我睡不着|assistant:先喘口气。")]
    [InlineData("""{"conversations":[{"from":"human","value":"我睡不着"},{"from":"gpt","value":"先喘口气。"}]}""", "ShareGpt", "user:我睡不着|assistant:先喘口气。")]
    [InlineData("""{"instruction":"我睡不着","input":"一周了","output":"先喘口气。","history":[["在吗","在的"]]}""", "Alpaca", "user:在吗|assistant:在的|user:我睡不着\n一周了|assistant:先喘口气。")]
    [InlineData("""{"question":"我睡不着","answer":"先喘口气。"}""", "Alpaca", "user:我睡不着|assistant:先喘口气。")]
    [InlineData("""{"messages":[{"role":"system","content":"s"},{"role":"user","content":"我睡不着"},{"role":"assistant","content":"<think>想</think>先喘口气。"}]}""", "OpenAi", "system:s|user:我睡不着|assistant(想):先喘口气。")]
    [InlineData("""{"input":"我睡不着","reasoning_content":"想","content":"先喘口气。","repo_name":"general","score":9}""", "R1Distill", "user:我睡不着|assistant(想):先喘口气。")]
    [InlineData("""{"instruction":"我睡不着","input":"","output":"想\n</think>\n\n先喘口气。","repo_name":"general","score":9}""", "R1Distill", "user:我睡不着|assistant(想):先喘口气。")]
    [InlineData("""{"prompt":"我睡不着","response_0":"别想","response_1":"先喘口气。","better_response_id":1}""", "SafeRlhf", "user:我睡不着|assistant:先喘口气。|rejected:别想")]
    [InlineData("""{"chosen":[{"role":"user","content":"我睡不着"},{"role":"assistant","content":"先喘口气。"}],"rejected":[{"role":"user","content":"我睡不着"},{"role":"assistant","content":"别想"}]}""", "Pairs", "user:我睡不着|assistant:先喘口气。|rejected:别想")]
    [InlineData("""{"prompt":"我睡不着","chosen":"先喘口气。","rejected":"别想"}""", "Pairs", "user:我睡不着|assistant:先喘口气。|rejected:别想")]
    [InlineData("""{"kind":"counsel","source":"sleep","messages":[{"role":"user","content":"我睡不着"},{"role":"assistant","content":"先喘口气。","reasoning":"想"}]}""", "Record", "user:我睡不着|assistant(想):先喘口气。")]
    public void Rows_of_every_format_are_told_apart_and_become_records(string json, string format, string expected)
    {
        var row = JsonSerializer.Deserialize<JsonElement>(json);
        Assert.Equal(format, FormatDetection.Of(row)?.ToString());
        var (record, fault) = RowMapper.Map(row, 7, new SourceFacts("set", SourceFormat.Auto, "CC0", "睡眠"));
        Assert.Null(fault);
        Assert.Equal(expected, Words(record!));
        Assert.Equal(("set/7", "CC0", "睡眠", Reply), (record!.Id, record.Licence, record.Topic, record.Reply.Content));
        Assert.Equal(expected, Words(RowMapper.Map(JsonSerializer.Deserialize<JsonElement>(record.ToJson()), 1, new SourceFacts("x", SourceFormat.Auto, null, null)).Record!));
    }

    [Theory]
    [InlineData("""{"a":1}""", "no known format")]
    [InlineData("""[1,2]""", "no CPsyCoun row")]
    [InlineData("""["我睡不着","先喘口气。"]""", "no CPsyCoun row")]
    [InlineData("""{"instruction":"","output":"先喘口气。"}""", "empty")]
    [InlineData("""{"instruction":"我睡不着","output":""}""", "empty")]
    [InlineData("""{"instruction":"我睡不着","output":"<think>想"}""", "empty")]
    [InlineData("""{"messages":[{"role":"tool","content":"x"}]}""", "no OpenAi row")]
    [InlineData("""{"messages":[]}""", "no messages")]
    [InlineData("""{"prompt":"a","response_0":"b","response_1":"c","better_response_id":2}""", "no SafeRlhf row")]
    [InlineData("""{"chosen":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"rejected":[{"role":"user","content":"x"},{"role":"assistant","content":"c"}]}""", "no Pairs row")]
    [InlineData("""{"kind":"k","source":"s","messages":[null]}""", "role")]
    [InlineData("""{"kind":"k","source":"s","messages":"no"}""", "another kind")]
    [InlineData("3", "no known format")]
    public void What_is_no_record_says_why(string json, string words) =>
        Assert.Contains(words, RowMapper.Map(JsonSerializer.Deserialize<JsonElement>(json), 1, new SourceFacts("s", SourceFormat.Auto, null, null)).Fault);

    [Fact]
    public void Texts_lose_control_characters_and_halves_of_characters()
    {
        Assert.Equal("甲\n乙\t丙😀", JsonFields.Clean("\ufeff 甲\r\n乙\t丙\u0007😀\ud83d "));
        Assert.Equal("plain", JsonFields.Clean(" plain\n"));
    }

    [Fact]
    public void Arrays_are_cut_where_elements_end_and_a_broken_one_costs_itself()
    {
        var rows = Rows("""
            [ {"a": "]},{"},
              {"a": [1, {"b": "\\"}]}
              , {"a": nonsense},
              {"a": 2} ]
            """);
        Assert.Equal([1, 2, 3, 4], rows.Select(r => r.Line));
        Assert.Equal([true, true, false, true], rows.Select(r => r.Fault is null));
        Assert.Contains("not closed", Rows("""[{"a":1},{"a":""")[^1].Fault);
        Assert.Empty(Rows("[]"));
        Assert.Empty(Rows("  \n"));
        Assert.Equal("""["甲","乙"]""", Assert.Single(Rows("""["甲", "乙"]""")).Value.ToString().Replace("\\u7532", "甲").Replace("\\u4E59", "乙"));
    }

    [Fact]
    public void Tables_follow_RFC_4180_and_a_short_row_is_a_fault()
    {
        var rows = Rows("question,answer\r\n\"一,\"\"二\"\"\n三\",四\r\n只有一格\n五,六\n", "x.csv");
        Assert.Equal([2, 4, 5], rows.Select(r => r.Line));
        Assert.Equal("一,\"二\"\n三", rows[0].Value.GetProperty("question").GetString());
        Assert.Contains("1 cells", rows[1].Fault);
        Assert.Equal("六", rows[2].Value.GetProperty("answer").GetString());
        Assert.Contains("not closed", Rows("a,b\n\"x,y\n", "x.csv")[0].Fault);
    }

    internal static List<SourceRow> Rows(string text, string path = "x.json") => [.. RowReader.Read(path, new MemoryStream(Encoding.UTF8.GetBytes(text)))];

    private static string Words(DataRecord record) => string.Join('|', record.Messages.Select(m => $"{m.Role}{(m.Reasoning is { } r ? $"({r})" : "")}:{m.Content}"))
        + (record.Rejected is { } other ? $"|rejected:{other.Content}" : "");
}
