using PsyLite.Web;

namespace PsyLite.Tests.Web;

public sealed class ReplyMarkdownTests
{
    [Theory]
    [InlineData("<script>alert(1)</script>", "<script")]
    [InlineData("<img src=x onerror=alert(1)>", "<img")]
    [InlineData("![](https://elsewhere.example/a.png)", "<img")]
    [InlineData("[点这里](javascript:alert(1))", "<a")]
    [InlineData("<https://elsewhere.example>", "<a")]
    [InlineData("[a]: javascript:alert(1)\n\n[a]", "<a")]
    public void Nothing_in_a_reply_becomes_active(string markdown, string forbidden) =>
        Assert.DoesNotContain(forbidden, ReplyMarkdown.Render(markdown).Value, StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void Lists_emphasis_and_line_breaks_are_kept()
    {
        var html = ReplyMarkdown.Render("先**停一下**。\n再做：\n\n1. 呼气\n2. 吸气").Value;
        Assert.Contains("<strong>停一下</strong>", html);
        Assert.Contains("<br", html);
        Assert.Contains("<li>呼气</li>", html);
        Assert.Equal("先停一下。", ReplyMarkdown.Plain("先**停一下**。"));
    }
}
