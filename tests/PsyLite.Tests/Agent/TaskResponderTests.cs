using System.Text.Json;
using PsyLite.Agent;

namespace PsyLite.Tests.Agent;

public sealed class TaskResponderTests
{
    [Theory]
    [InlineData("Generate a concise, 3-5 word title with an emoji.", "{ \"title\": \"your title\" }", "title")]
    [InlineData("Generate 1-3 broad tags categorizing the main themes.", "{ \"tags\": [\"tag1\"] }", "tags")]
    [InlineData("Suggest 3-5 relevant follow-up questions.", "{ \"follow_ups\": [\"…\"] }", "follow_ups")]
    [InlineData("Analyze the chat history to determine the necessity of generating search queries.", "{ \"queries\": [\"…\"] }", "queries")]
    public void Tasks_are_answered_with_the_json_they_wait_for(string task, string format, string key)
    {
        var messages = Turns.Say($"### Task:\n{task}\n### Guidelines:\n- be brief\n### Output:\nJSON format: {format}\n### Chat History:\n<chat_history>\nUSER: 老板总让我加班，我不想活了\n</chat_history>");
        Assert.True(TaskResponder.IsTask(messages));
        using var answer = JsonDocument.Parse(TaskResponder.Respond(messages));
        Assert.True(answer.RootElement.TryGetProperty(key, out _));
        Assert.DoesNotContain("不想活", answer.RootElement.ToString());
    }

    [Theory]
    [InlineData("### Task: 我不想活了")]
    [InlineData("帮我写一个任务清单")]
    public void A_persons_own_words_are_no_task(string text) => Assert.False(TaskResponder.IsTask(Turns.Say(text)));

    [Fact]
    public void A_message_within_a_conversation_is_no_task() =>
        Assert.False(TaskResponder.IsTask(Turns.Say("你好", "你好呀", "### Task:\ntitle\n### Guidelines:\n<chat_history>")));
}
