using PsyLite.Agent.Risk;

namespace PsyLite.Tests.Agent.Risk;

public sealed class TextNormaliserTests
{
    private static readonly TextNormaliser Normaliser = new();

    [Theory]
    [InlineData("ＡＢＣ１２３！？", "abc123!?")]
    [InlineData("不\u200b想\ufe0f活", "不想活")]
    [InlineData("撐不下去，絕望", "撑不下去,绝望")]
    [InlineData("唔想捱落去", "不想熬下去")]
    [InlineData("𝐬𝐢 ⓢⓘ", "si si")]
    [InlineData("bù xiǎng huó le", "不想活了")]
    [InlineData("bxhl", "不想活了")]
    [InlineData("abxhl", "abxhl")]
    [InlineData("我想歹匕", "我想死")]
    [InlineData("🔪🩸", "〔刃〕〔血〕")]
    [InlineData("a  \t b", "a b")]
    public void Spellings_become_plain(string text, string plain) => Assert.Equal(plain, Normaliser.Fold(text).Text);

    [Theory]
    [InlineData("不 想 活", "不想活")]
    [InlineData("死.一.下", "死一下")]
    [InlineData("我真的 不。想。活 你懂吗", "我真的 不想活 你懂吗")]
    public void Split_words_are_joined(string text, string joined) => Assert.Equal(joined, TextNormaliser.Joined(Normaliser.Fold(text))?.Text);

    [Theory]
    [InlineData("今天，很好")]
    [InlineData("好 的")]
    public void Ordinary_spacing_is_left_alone(string text) => Assert.Null(TextNormaliser.Joined(Normaliser.Fold(text)));

    [Fact]
    public void Offsets_lead_back_to_the_original()
    {
        const string text = "嗯，ｂｘｈｌ🔪完";
        var view = Normaliser.Fold(text);
        Assert.Equal("嗯,不想活了〔刃〕完", view.Text);
        Assert.Equal((2, 4), view.Original(2, 4));
        Assert.Equal((6, 2), view.Original(6, 3));
        Assert.Equal((8, 1), view.Original(9, 1));
    }

    [Fact]
    public void Any_text_folds_with_offsets_in_range()
    {
        var random = new Random(11);
        const string pool = "不想活了死 .。，！ABｃ１\u200b\ufe0f🔪😀\ud83d\udd2a歹匕唔嘅撐s si bxhl\n《》“”";
        for (var run = 0; run < 20_000; run++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(24)).Select(_ => random.Next(40) == 0 ? (char)random.Next(0x10000) : pool[random.Next(pool.Length)]));
            var view = Normaliser.Fold(text);
            foreach (var reading in new[] { view, TextNormaliser.Joined(view), TextNormaliser.Reversed(view) })
            {
                if (reading is not null)
                {
                    Assert.Equal(reading.Text.Length, reading.Starts.Length);
                    Assert.All(reading.Starts.Zip(reading.Ends), p => Assert.True(p.First >= 0 && p.First < p.Second && p.Second <= text.Length));
                }
            }

            Turns.Assessor.Assess(text);
        }
    }
}
