using Microsoft.Extensions.AI;

namespace PsyLite.Tests.Server;

public sealed class ContextWindowTests
{
    private static readonly ContextWindow Window = new(text => text.Length, 300);

    private static List<ChatMessage> Conversation(int exchanges)
    {
        var messages = new List<ChatMessage> { new(ChatRole.System, "系统") };
        for (var i = 0; i < exchanges; i++)
        {
            messages.Add(new ChatMessage(ChatRole.User, $"问{i}"));
            messages.Add(new ChatMessage(ChatRole.Assistant, $"答{i}"));
        }

        messages.Add(new ChatMessage(ChatRole.User, "最新的一句"));
        return messages;
    }

    [Fact]
    public void A_short_conversation_stays_as_it_is()
    {
        var conversation = Conversation(3);
        Assert.Same(conversation, Window.Fit(conversation));
    }

    [Fact]
    public void A_long_one_keeps_the_system_and_the_newest_and_fits()
    {
        var fitted = Window.Fit(Conversation(60));
        Assert.Equal("系统", fitted[0].Text);
        Assert.Equal("最新的一句", fitted[^1].Text);
        Assert.True(fitted.Count > 4);
        Assert.True(fitted.Sum(m => m.Text.Length + 8) <= 300 - Window.ReplyTokens);
        Assert.Equal(ChatRole.User, fitted[1].Role);
    }

    [Fact]
    public void The_beginning_stays_alike_while_a_few_turns_are_added()
    {
        var firsts = Enumerable.Range(20, 8).Select(n => Window.Fit(Conversation(n))[1].Text).ToList();
        Assert.True(firsts.Distinct().Count() <= 5, string.Join(' ', firsts));
    }

    [Fact]
    public void A_message_that_is_too_long_by_itself_keeps_both_ends()
    {
        var fitted = Window.Fit([new ChatMessage(ChatRole.System, "系统"), new ChatMessage(ChatRole.User, "头" + new string('中', 5000) + "尾"), new ChatMessage(ChatRole.System, "判断")]);
        Assert.Equal(3, fitted.Count);
        Assert.StartsWith("头", fitted[1].Text);
        Assert.EndsWith("尾", fitted[1].Text);
        Assert.True(fitted.Sum(m => m.Text.Length + 8) <= 300 - Window.ReplyTokens);
    }
}
