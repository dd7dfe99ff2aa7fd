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
        Assert.Same(conversation, Window.Fit(conversation).Messages);
    }

    [Fact]
    public void A_long_one_keeps_the_system_and_the_newest_says_what_is_missing_and_fits()
    {
        var (fitted, leftOut) = Window.Fit(Conversation(60));
        Assert.Equal("系统", fitted[0].Text);
        Assert.Equal(ChatRole.System, fitted[1].Role);
        Assert.Contains($" {leftOut} 轮", fitted[1].Text);
        Assert.Equal("最新的一句", fitted[^1].Text);

        // Whole exchanges, from the user's word on, and none lost between.
        Assert.Equal($"问{leftOut}", fitted[2].Text);
        Assert.Equal(1 + 1 + (2 * (60 - leftOut)) + 1, fitted.Count);
        Assert.True(fitted.Sum(m => m.Text.Length + 8) <= 300 - Window.ReplyTokens);
    }

    [Fact]
    public void The_beginning_stays_alike_until_the_room_is_full_again()
    {
        var wide = new ContextWindow(text => text.Length, 900);
        var starts = Enumerable.Range(1, 200).Select(n => wide.Fit(Conversation(n)).TurnsLeftOut).ToList();
        Assert.Equal(starts.Order(), starts);

        // About ten exchanges of twenty tokens are dropped at a time, so nine turns of ten begin as the turn before.
        Assert.InRange(starts.Distinct().Count(), 2, 200 / 8);
        Assert.True(starts[^1] > 160);
    }

    [Fact]
    public void A_judges_question_behind_the_conversation_changes_nothing_before_it()
    {
        for (var exchanges = 1; exchanges < 60; exchanges++)
        {
            var conversation = Conversation(exchanges);
            var plain = Window.Fit(conversation).Messages.Select(m => m.Text).ToList();
            var judged = Window.Fit([.. conversation, new ChatMessage(ChatRole.System, "用一个词判断对方现在的心情")]).Messages.Select(m => m.Text).ToList();
            Assert.Equal(plain, judged.SkipLast(1));
        }
    }

    [Fact]
    public void A_message_that_is_too_long_by_itself_keeps_both_ends()
    {
        var fitted = Window.Fit([new ChatMessage(ChatRole.System, "系统"), new ChatMessage(ChatRole.User, "头" + new string('中', 5000) + "尾"), new ChatMessage(ChatRole.System, "判断")]).Messages;
        Assert.Equal(3, fitted.Count);
        Assert.StartsWith("头", fitted[1].Text);
        Assert.EndsWith("尾", fitted[1].Text);
        Assert.True(fitted.SkipLast(1).Sum(m => m.Text.Length + 8) <= 300 - Window.ReplyTokens);
    }
}
