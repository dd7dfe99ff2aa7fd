using System.Text;
using PsyLite.Tests.Store;
using PsyLite.Training.Data.Records;

namespace PsyLite.Tests.Training.Data.Records;

public sealed class OutputFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.jsonl")]
    [InlineData("a.jsonl.gz")]
    public void A_file_appears_whole_or_not_at_all_and_twice_the_same(string name)
    {
        string Write(bool commits)
        {
            using var file = OutputFile.Create(_folder[name]);
            file.WriteLine("一"u8);
            file.WriteLine("二"u8);
            return commits ? file.Commit().Sha256 : "";
        }

        Write(commits: false);
        Assert.Empty(_folder.Names);
        Assert.Equal(Write(commits: true), Write(commits: true));
        Assert.Equal([name], _folder.Names);
        using var input = InputFile.Open(_folder[name]);
        Assert.Equal(["一", "二"], ByteLines.Read(input.Content).Select(l => Encoding.UTF8.GetString(l.Bytes!.Value.Span)));
        Assert.Equal(new FileInfo(_folder[name]).Length, input.Finish().Bytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(65536)]
    public void Lines_and_their_places_do_not_depend_on_how_the_bytes_arrive(int slice)
    {
        var random = new Random(3);
        var lines = Enumerable.Range(0, 300).Select(_ => new string('x', random.Next(random.Next(8) == 0 ? 2000 : 30))).Append("last").ToList();
        var bytes = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        var read = ByteLines.Read(new SlicedStream(bytes, slice), longest: 1000).Select(l => (l.Number, l.Start, Length: l.Bytes?.Length)).ToList();
        var start = 0L;
        for (var i = 0; i < lines.Count; i++)
        {
            // A line is refused for its length only where that may fill the memory; a little more may pass.
            var expected = lines[i].Length;
            Assert.Equal((i + 1, start), (read[i].Number, read[i].Start));
            Assert.True(read[i].Length == expected || (read[i].Length is null && expected > 1000), $"line {i}: {read[i].Length} of {expected}");
            start += expected + 1;
        }

        Assert.Equal(lines.Count, read.Count);
    }

    [Theory]
    [InlineData("我的手机是13812345678，晚上打", "我的手机是【电话】，晚上打", 1)]
    [InlineData("138 1234 5678 或 +86-139-1234-5678", "【电话】 或 【电话】", 2)]
    [InlineData("身份证11010519491231002X。", "身份证【身份证号】。", 1)]
    [InlineData("编号110105194912310021不是证件", "编号110105194912310021不是证件", 0)]
    [InlineData("写信到 zhang.san@example.com.cn", "写信到 【邮箱】", 1)]
    [InlineData("加我微信：wx_little_cat9 聊", "加我微信：【微信号】 聊", 1)]
    [InlineData("QQ号是123456789", "QQ号是【QQ号】", 1)]
    [InlineData("打010-62345678找我", "打【电话】找我", 1)]
    [InlineData("拨打12356，或120、110、400-161-9995", "拨打12356，或120、110、400-161-9995", 0)]
    [InlineData("2026年11月22日跑了12345678步", "2026年11月22日跑了12345678步", 0)]
    [InlineData("卡号6222021234567890127转账", "卡号6222021234567890127转账", 0)]
    [InlineData("卡号4111 1111 1111 1111转账", "卡号【银行卡号】转账", 1)]
    public void What_leads_to_a_person_is_taken_out_and_help_lines_stay(string text, string expected, int found) =>
        Assert.Equal((expected, found), PersonalData.Scrub(text));

    private sealed class SlicedStream(byte[] bytes, int slice) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, slice));
    }
}
