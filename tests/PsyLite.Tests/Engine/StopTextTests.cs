using System.Text;
using PsyLite.Engine;

namespace PsyLite.Tests.Engine;

public sealed class StopTextTests
{
    [Fact]
    public void What_may_begin_a_stop_is_held_back_until_it_is_decided()
    {
        var stops = new StopText(["停止", "END"]);
        var output = new StringBuilder();
        Assert.False(stops.Append("你好停", output));
        Assert.Equal("你好", output.ToString());
        Assert.False(stops.Append("车EN", output));
        Assert.Equal("你好停车", output.ToString());
        Assert.True(stops.Append("D后面", output));
        Assert.Equal("你好停车", output.ToString());
    }

    [Fact]
    public void The_end_gives_back_what_was_held()
    {
        var stops = new StopText(["停止"]);
        var output = new StringBuilder();
        Assert.False(stops.Append("请停", output));
        stops.Flush(output);
        Assert.Equal("请停", output.ToString());
    }

    [Fact]
    public void However_the_text_is_parted_the_result_is_that_of_the_whole()
    {
        var random = new Random(3);
        for (var round = 0; round < 3000; round++)
        {
            string Letters(int most) => string.Concat(Enumerable.Range(0, random.Next(most) + 1).Select(_ => "abc"[random.Next(3)]));
            var text = Letters(20);
            string[] stops = [.. Enumerable.Range(0, random.Next(3) + 1).Select(_ => Letters(4))];
            var ends = stops.Select(s => (End: text.IndexOf(s, StringComparison.Ordinal) + s.Length, Start: text.IndexOf(s, StringComparison.Ordinal))).Where(m => m.Start >= 0).Order().ToList();
            var expected = ends.Count > 0 ? text[..ends[0].Start] : text;

            var cutter = new StopText(stops);
            var output = new StringBuilder();
            var stopped = false;
            for (var at = 0; at < text.Length && !stopped;)
            {
                var length = Math.Min(random.Next(4) + 1, text.Length - at);
                stopped = cutter.Append(text.AsSpan(at, length), output);
                Assert.StartsWith(output.ToString(), expected);
                at += length;
            }

            cutter.Flush(output);
            Assert.Equal((expected, ends.Count > 0), (output.ToString(), stopped));
        }
    }
}
